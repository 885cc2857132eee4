"""People of tests: a browser without a socket that is signed in, and sessions for pages of the running service."""

from dataclasses import dataclass, field
from secrets import randbelow, token_hex
from typing import Any

import httpx
from fastapi import FastAPI

from app.dashboard.session import PLAIN_COOKIE
from app.people.passwords import derive
from app.people.sessions import start_session
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.access.accounts import account_named
from app.storage.database import Database
from app.storage.people import members
from tests.support import http
from tests.support.http import Account
from tests.support.servers import PEPPER

OWN = {"Origin": "http://sluice.test"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PASSWORD = "the horse reads backwards"
STORED_PASSWORD = derive(PASSWORD)


@dataclass
class Person:
    """Somebody of a test, who signs in with PASSWORD, and the cookie of a session."""

    id: str
    email: str
    account_id: AccountId
    cookie: str

    @property
    def cookies(self) -> dict[str, str]:
        return {PLAIN_COOKIE: self.cookie}


async def make_person(database: Database, account: str, role: str) -> Person:
    """A new member of the account, who has signed in."""
    email = f"{role}-{token_hex(4)}@shop.example"
    async with database.transaction() as session:
        account_id = AccountId(await account_named(session, account))
        person_id = await members.add_person(session, email=email, name=f"Ana {role.title()}")
        await members.add_member(session, person_id=person_id, account_id=account_id, role=role, created_by=None)
        await members.join(session, person_id, account_id)
        await members.set_password(session, person_id, STORED_PASSWORD)
        cookie = await start_session(session, account_id, pepper=PEPPER, person_id=person_id)
    return Person(person_id, email, account_id, cookie)


@dataclass
class LiveAccount:
    """An account of the running service. `key` with every scope: `live.key(account.name)` in a thread."""

    database: Database
    name: str

    async def sign_in(self, role: str = "admin") -> Person:
        """Somebody new with this role."""
        return await make_person(self.database, self.name, role)


@dataclass
class Dashboard:
    """A browser without script: it keeps cookies, says where its forms come from, and follows no redirect by itself."""

    runtime: Runtime
    app: FastAPI
    account: Account  # with a key that may do everything by its single scopes
    person: Person
    client: httpx.AsyncClient
    others: list["Dashboard"] = field(default_factory=list)

    async def get(self, path: str, **given: Any) -> httpx.Response:
        return await self.client.get(path, **given)

    async def post(self, path: str, data: dict[str, Any] | None = None, **given: Any) -> httpx.Response:
        """As browsers send a form, also one without fields; one with `files` has parts."""
        headers = OWN | ({} if "files" in given else FORM) | given.pop("headers", {})
        return await self.client.post(path, data=data or {}, headers=headers, **given)

    async def as_role(self, role: str) -> "Dashboard":
        """Another person of the same account."""
        other = await open_dashboard(self.runtime, self.app, self.account, role)
        self.others.append(other)
        return other

    async def close(self) -> None:
        for each in (*self.others, self):
            await each.client.aclose()


async def open_dashboard(runtime: Runtime, app: FastAPI, account: Account, role: str) -> Dashboard:
    person = await make_person(runtime.database, account.name, role)
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, client=(f"10.1.2.{randbelow(255)}", 123)),
        base_url="http://sluice.test",
        timeout=60,
        cookies=person.cookies,
    )
    return Dashboard(runtime, app, account, person, client)


async def new_dashboard(runtime: Runtime, role: str = "admin") -> Dashboard:
    """Of a new account."""
    account = await http.make_account(runtime)
    return await open_dashboard(runtime, http.app_on(runtime), account, role)
