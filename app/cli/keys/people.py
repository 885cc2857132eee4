"""`sluice person …`: lets people into the dashboard of an account, and out of it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from app.cli.client.printing import show_time
from app.cli.client.tables import TableColumn, print_table
from app.cli.keys.database import DatabaseTarget, check_account_name, find_database, open_database
from app.cli.options import Data, UsageError
from app.errors import Refused
from app.people import operator
from app.people.links import link_path
from app.people.members import Invitation
from app.people.roles import ROLES
from app.storage.people import members

people = typer.Typer()

Account = Annotated[str, typer.Option(help="Account that the person works in; created if new")]
OfAccount = Annotated[str, typer.Option(help="Account that the person works in")]
OnlyAccount = Annotated[str | None, typer.Option("--account", help="List only the people of this account")]
Email = Annotated[str, typer.Option(help="E-mail address with which the person signs in")]
Name = Annotated[str, typer.Option(help="What the person is called; default: the address up to the @")]
RoleName = Annotated[
    str | None,
    typer.Option("--role", help=f"One of {', '.join(ROLES)}; may be left out for the first person, who is an admin"),
]

LISTED: Final = (
    TableColumn("EMAIL", "email"),
    TableColumn("NAME", "name", cut=True, spare=True),
    TableColumn("ACCOUNT", "account", cut=True),
    TableColumn("ROLE", "role"),
    TableColumn("CREATED", "created_at", show=show_time, spare=True),
    TableColumn("SIGNED IN", "signed_in_at", show=show_time),
)


@people.command("create")
def create(account: Account, email: Email, role: RoleName = None, name: Name = "", data: Data = None) -> None:
    """Let a person into the dashboard of an account, and print a link that sets their password.

    The link works once and for 24 hours. Somebody who has a password from another account keeps it, and types it
    there. The last line of the output is the link.
    """
    check_account_name(account)
    if role is not None and role not in ROLES:
        raise UsageError(f"Unknown role {role}. The roles are {', '.join(ROLES)}")
    target = find_database(data)
    person = asyncio.run(_create(target, account, Invitation(email, name, role or "")))
    _print_link(target, person.token, "to set a password" if person.sets_password else "and type your password")


@people.command("list")
def show(account: OnlyAccount = None, data: Data = None) -> None:
    """List the people who may sign in, with their roles."""
    print_table(LISTED, asyncio.run(_list(find_database(data), account)))


@people.command("reset")
def reset(email: Email, data: Data = None) -> None:
    """Print a link with which a person sets another password. Until then the old one works."""
    target = find_database(data)
    _print_link(target, asyncio.run(_reset(target, email)))


@people.command("remove")
def remove(account: OfAccount, email: Email, data: Data = None) -> None:
    """Take a person out of an account. They are signed out with their next request."""
    asyncio.run(_remove(find_database(data), account, email))
    typer.echo(f"{email} cannot sign in to {account} any more")


def _print_link(target: DatabaseTarget, token: str, purpose: str = "to set a password") -> None:
    typer.echo(f"Open this link within 24 hours {purpose}. It works once:")
    typer.echo(f"{target.url.rstrip('/')}{link_path(token)}")


async def _create(target: DatabaseTarget, account: str, wanted: Invitation) -> operator.EnrolledPerson:
    pepper = target.require_pepper()
    async with open_database(target) as database, database.transaction() as session:
        try:
            return await operator.enroll(session, account, wanted, pepper=pepper)
        except Refused as refused:
            raise UsageError(refused.detail.replace("`role`", "`--role`").replace("`email`", "`--email`")) from None


async def _list(target: DatabaseTarget, account: str | None) -> Sequence[Mapping[str, Any]]:
    async with open_database(target) as database, database.read() as session:
        if account is not None and not await members.all_members(session, account):
            raise UsageError(f"Nobody may sign in to an account with the name {account}")
        return [dict(row) for row in await members.all_members(session, account)]


async def _reset(target: DatabaseTarget, email: str) -> str:
    pepper = target.require_pepper()
    async with open_database(target) as database, database.transaction() as session:
        try:
            return await operator.reset(session, email, pepper=pepper)
        except Refused as refused:
            raise UsageError(refused.detail) from None


async def _remove(target: DatabaseTarget, account: str, email: str) -> None:
    async with open_database(target) as database, database.transaction() as session:
        try:
            await operator.expel(session, account, email)
        except Refused as refused:
            raise UsageError(refused.detail) from None
