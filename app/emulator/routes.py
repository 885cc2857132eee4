"""The emulator's own endpoints. They need no key: every client of the emulator may let it fail."""

from datetime import timedelta
from secrets import token_hex
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from app.auth.keys import SCOPES, create_key
from app.emulator.faults import load_faults
from app.emulator.wire import AccountItem, ClockBody, ClockItem, FaultBody, FaultList, FaultsBody, ListedFault
from app.errors import Complaint, Refused
from app.runs.deletion import prune_runs
from app.runs.holding.held import cancel_expired
from app.runtime import Runtime
from app.storage.emulator import clock, faults
from app.web.caller import OpenRuntime
from app.web.shapes import Shape

router = APIRouter(prefix="/emulator", include_in_schema=False)
ONE_OF_THEM: Final = "Send either `now` or `forwardSeconds`"


@router.get("/faults")
async def list_faults(runtime: OpenRuntime) -> Response:
    return respond(await read_faults(runtime))


@router.put("/faults")
async def put_faults(body: FaultsBody, runtime: OpenRuntime) -> Response:
    """These faults take the place of all others, and nothing has come to theirs yet."""
    async with runtime.database.transaction() as session:
        await faults.replace_all(session, [each.model_dump() for each in body.faults])
    return respond(await read_faults(runtime))


@router.delete("/faults")
async def delete_faults(runtime: OpenRuntime) -> Response:
    async with runtime.database.transaction() as session:
        await faults.replace_all(session, [])
    return Response(status_code=204)


@router.get("/clock")
async def get_clock(runtime: OpenRuntime) -> Response:
    return respond(await read_clock(runtime))


@router.put("/clock")
async def put_clock(body: ClockBody, runtime: OpenRuntime) -> Response:
    """The clock goes on from there. What is kept or waits only for a time is gone at once if that is over."""
    if (body.now is None) == (body.forward_seconds is None):
        raise Refused("invalid", ONE_OF_THEM, [Complaint("now", ONE_OF_THEM)])
    async with runtime.database.transaction() as session:
        now, _ = await clock.read(session)
        by = timedelta(seconds=body.forward_seconds or 0.0) if body.now is None else body.now - now
        await clock.move(session, by=by)
    await do_what_is_due(runtime)
    return respond(await read_clock(runtime))


@router.delete("/clock")
async def reset_clock(runtime: OpenRuntime) -> Response:
    async with runtime.database.transaction() as session:
        _, shift = await clock.read(session)
        await clock.move(session, by=-shift)
    return Response(status_code=204)


@router.post("/accounts")
async def create_account(runtime: OpenRuntime) -> Response:
    """A new account with a key that may do everything, for a test that is to meet nobody else's records."""
    name = f"account-{token_hex(6)}"
    async with runtime.database.transaction() as session:
        key = await create_key(session, account=name, scopes=list(SCOPES), label="emulator", pepper=runtime.pepper)
    return respond(AccountItem(account=name, key=key), 201)


async def do_what_is_due(runtime: Runtime) -> None:
    """What workers do seldom, because it is seldom due. The rest they do within seconds."""
    await cancel_expired(runtime)
    await prune_runs(runtime)


async def read_faults(runtime: Runtime) -> FaultList:
    stored = await load_faults(runtime.database)
    names = FaultBody.model_fields
    found = [
        ListedFault(**{name: getattr(each.fault, name) for name in names}, reached=each.reached) for each in stored
    ]
    return FaultList(faults=found)


async def read_clock(runtime: Runtime) -> ClockItem:
    async with runtime.database.read() as session:
        now, shift = await clock.read(session)
    return ClockItem(now=now, shift_seconds=shift.total_seconds())


def respond(shape: Shape, status_code: int = 200) -> Response:
    return Response(shape.encoded(), status_code, media_type="application/json")
