"""The app as a client sees it, without a socket: accounts, keys, forms, and imports driven to their end."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from app.auth.keys import SCOPES, create_key
from app.main import create_app
from app.observe.logs import configure
from app.runs.lifecycle import work_on
from app.runs.model import run_from
from app.runs.states import HELD
from app.runtime import Runtime, read_rate_limit
from app.storage.access.accounts import account_named
from app.storage.blobs.errors import MARKER
from app.storage.tables import runs
from tests.support.contract import check_response
from tests.support.servers import PEPPER
from workers.engines import ENGINES

CONTACTS = b"_email,_name,_points\njohn@example.org,John,10\nsteve@example.org,Steve,20\n"
# What Connectif requires beside the file.
PARTS = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}


def app_on(runtime: Runtime, **settings: object) -> FastAPI:
    """The app on a runtime that is open already, with some settings changed. It logs to what is stderr now."""
    configure(runtime.settings.log_level)
    app = create_app(runtime.settings)
    changed = runtime.settings.model_copy(update=settings)
    throttle = replace(runtime.throttle, rate=read_rate_limit(changed))
    app.state.runtime = replace(runtime, settings=changed, throttle=throttle) if settings else runtime
    return app


@asynccontextmanager
async def client_of(app: FastAPI, address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    """A client that holds every answer against its OpenAPI document; `address` is where it seems to call from."""
    transport = httpx.ASGITransport(app=app, client=(address, 123))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://sluice.test", timeout=60, event_hooks={"response": [check_response]}
    ) as client:
        yield client


@dataclass(frozen=True, slots=True)
class Account:
    """An account that nobody else uses, with a key that may do everything by its single scopes."""

    id: int
    name: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"apiKey {self.key}"}


async def make_account(runtime: Runtime, scopes: Sequence[str] | None = None, name: str | None = None) -> Account:
    name = name or f"account-{token_hex(6)}"
    wanted = [scope for scope in SCOPES if scope != "admin"] if scopes is None else list(scopes)
    async with runtime.database.transaction() as session:
        key = await create_key(session, account=name, scopes=wanted, label="test", pepper=PEPPER)
        return Account(await account_named(session, name), name, key)


async def post(
    client: httpx.AsyncClient,
    account: Account,
    file: bytes = CONTACTS,
    *,
    name: str = "contacts.csv",
    parts: Mapping[str, str | None] | None = None,
) -> httpx.Response:
    """Posts an import with Connectif's parts; `parts` changes them, None takes one away."""
    given: dict[str, Any] = {key: value for key, value in (PARTS | dict(parts or {})).items() if value is not None}
    return await client.post("/imports", headers=account.headers, data=given, files={"file": (name, file, "text/csv")})


async def finish(runtime: Runtime, run_id: str) -> None:
    """Works on a run, slice after slice, until it has ended or waits for somebody to decide."""
    while True:
        async with runtime.database.read() as session:
            run = run_from((await session.execute(select(runs).where(runs.c.id == run_id))).mappings().one())
        if run.done or run.state in HELD:
            return
        await work_on(runtime, run.id, ENGINES[run.kind])


def stored_files(runtime: Runtime) -> set[str]:
    """Every file in the blob store, finished or not, but not the mark of the store."""
    files = (path for path in runtime.blobs.root.rglob("*") if path.is_file() and path.name != MARKER)
    return {str(path.relative_to(runtime.blobs.root)) for path in files}
