"""`sluice key …`: creates, lists and revokes API keys."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer

from app.auth.account_keys import MOST_DAYS
from app.auth.keys import DEFAULT_SCOPES, SCOPES, KeyInfo, NewKey, create_key, list_keys, revoke_key
from app.auth.operators import OperatorKeyInfo, create_operator_key, list_operator_keys
from app.cli.client.printing import show_time
from app.cli.client.tables import TableColumn, print_table
from app.cli.keys.database import DatabaseTarget, check_account_name, find_database, open_database
from app.cli.options import Data, UsageError
from app.storage.access import operators

keys = typer.Typer()

Account = Annotated[str | None, typer.Option(help="Account whose records the key reads and writes; created if new")]
ForOperator = Annotated[
    bool,
    typer.Option("--operator", help="Make a key of the operator: it administers accounts, and opens nothing of any"),
]
OnlyOperator = Annotated[bool, typer.Option("--operator", help="List the keys of the operator, which have no account")]
OnlyAccount = Annotated[
    str | None, typer.Option("--account", help="List only the keys of this account: its name, or its number in logs")
]
Scopes = Annotated[
    list[str] | None, typer.Option("--scope", help=f"Scope of the key, can be repeated; one of {', '.join(SCOPES)}")
]
Label = Annotated[str, typer.Option(help="What the key is for")]
Days = Annotated[
    int | None,
    typer.Option(
        "--expires-in-days", min=1, max=MOST_DAYS, help="After how many days the key ends by itself. Default: never"
    ),
]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="The part of the key before the colon")]

LISTED: Final = (
    TableColumn("KEY", "id"),
    TableColumn("ACCOUNT", "account", cut=True),
    TableColumn("SCOPES", lambda key: " ".join(key["scopes"]), wraps=True),
    TableColumn("LABEL", "label", cut=True),
    TableColumn("CREATED", "created_at", show=show_time, spare=True),
    TableColumn("USED", "last_used_at", show=show_time),
    TableColumn("EXPIRES", "expires_at", show=show_time),
    TableColumn("REVOKED", "revoked_at", show=show_time),
)

LISTED_OF_OPERATOR: Final = tuple(each for each in LISTED if each.title not in ("ACCOUNT", "SCOPES"))


@keys.command("create")
def create(
    account: Account | None = None,
    scope: Scopes = None,
    label: Label = "",
    expires_in_days: Days = None,
    operator: ForOperator = False,
    data: Data = None,
) -> None:
    """Create an API key of an account, or of the operator, and print it. It is shown only now: the database keeps only
    its hash.

    The last line of the output is the key, as id:secret.
    """
    if operator:
        if account or scope:
            raise UsageError("A key of the operator has neither an account nor scopes")
        typer.echo(asyncio.run(_create_operator(find_database(data), label, expires_in_days)))
        return
    if account is None:
        raise UsageError("Missing option '--account'")
    check_account_name(account)
    scopes = tuple(scope or DEFAULT_SCOPES)
    if unknown := [name for name in scopes if name not in SCOPES]:
        raise UsageError(f"Unknown scope {', '.join(unknown)}. The scopes are {', '.join(SCOPES)}")
    wanted = NewKey(label, scopes, expires_in_days)
    typer.echo(asyncio.run(_create(find_database(data), account, wanted)))


@keys.command("list")
def show(account: OnlyAccount = None, operator: OnlyOperator = False, data: Data = None) -> None:
    """List API keys. Their secrets are not stored and cannot be shown."""
    if operator:
        print_table(LISTED_OF_OPERATOR, map(asdict, asyncio.run(_list_operator(find_database(data)))))
        return
    found = asyncio.run(_list(find_database(data), account))
    if account and not found:
        raise UsageError(f"There is no account with the name or number {account}")
    print_table(LISTED, map(asdict, found))


@keys.command("revoke")
def revoke(key_id: KeyId, data: Data = None) -> None:
    """Revoke an API key for good."""
    if not asyncio.run(_revoke(find_database(data), key_id.partition(":")[0])):
        raise UsageError(f"There is no valid key with the id {key_id.partition(':')[0]}")
    typer.echo("The key is revoked")


async def _create(target: DatabaseTarget, account: str, wanted: NewKey) -> str:
    pepper = target.require_pepper()
    async with open_database(target) as database, database.transaction() as session:
        return await create_key(
            session, account=account, scopes=wanted.scopes, label=wanted.label, days=wanted.days, pepper=pepper
        )


async def _create_operator(target: DatabaseTarget, label: str, days: int | None) -> str:
    pepper = target.require_pepper()
    async with open_database(target) as database, database.transaction() as session:
        return await create_operator_key(session, label=label, days=days, pepper=pepper)


async def _list_operator(target: DatabaseTarget) -> Sequence[OperatorKeyInfo]:
    async with open_database(target) as database, database.read() as session:
        return await list_operator_keys(session)


async def _list(target: DatabaseTarget, account: str | None) -> Sequence[KeyInfo]:
    async with open_database(target) as database, database.read() as session:
        return await list_keys(session, account)


async def _revoke(target: DatabaseTarget, key_id: str) -> bool:
    async with open_database(target) as database, database.transaction() as session:
        return await revoke_key(session, key_id) or await operators.revoke(session, key_id)
