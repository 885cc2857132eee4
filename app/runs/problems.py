"""Stores the problems of a batch in one compressed piece, and pages through those of a whole run."""

import asyncio
import re
import zlib
from collections.abc import Iterable

import msgspec

from app.errors import Complaint, Refused
from app.problems import Problem
from app.runs.model import RunId
from app.storage import batches
from app.storage.database import ReadSession

decode = msgspec.json.Decoder(list[Problem]).decode
LARGEST_NUMBER = 2**31 - 1  # of a batch, as PostgreSQL's int
_cursor_text = re.compile(r"([0-9]{1,10})\.([0-9]{1,10})").fullmatch


def pack(problems: Iterable[Problem]) -> bytes | None:
    """Problems as they are stored with their batch; None for none."""
    listed = list(problems)
    return zlib.compress(msgspec.json.encode(listed), 3) if listed else None


def unpack(packed: bytes) -> list[Problem]:
    return decode(zlib.decompress(packed))


async def first(session: ReadSession, run_id: RunId, *, rows: int) -> list[Problem]:
    """The problems of the first `rows` rows that failed, in the file's order."""
    found: list[Problem] = []
    number, seen = 1, 0
    while seen < rows and (batch := await batches.with_problems(session, run_id, since=number, limit=1)):
        here = await asyncio.to_thread(unpack, batch[0]["problems"])
        numbers = sorted({problem.row for problem in here})[: rows - seen]
        found += [problem for problem in here if problem.row <= numbers[-1]]
        number, seen = batch[0]["number"] + 1, seen + len(numbers)
    return found


async def page(
    session: ReadSession, run_id: RunId, *, cursor: str | None, limit: int
) -> tuple[list[Problem], str | None]:
    """At most `limit` problems in the file's order from `cursor` on, and the cursor of what follows them."""
    number, skip = position(cursor)
    found: list[Problem] = []
    while rows := await batches.with_problems(session, run_id, since=number, limit=1):
        if rows[0]["number"] != number:
            number, skip = rows[0]["number"], 0
        # A batch may hold very many: they are not unpacked on the event loop.
        here, room = (await asyncio.to_thread(unpack, rows[0]["problems"]))[skip:], limit - len(found)
        found += here[:room]
        if len(here) > room:
            return found, f"{number}.{skip + room}"
        number, skip = number + 1, 0
    return found, None


def position(cursor: str | None) -> tuple[int, int]:
    """Batch number and problems to skip in it. Raises Refused("invalid") for anything that we have not given out."""
    if cursor is None:
        return 1, 0
    read = _cursor_text(cursor)
    number, skip = (int(read[1]), int(read[2])) if read else (0, LARGEST_NUMBER + 1)
    if max(number, skip) > LARGEST_NUMBER:
        raise Refused("invalid", "The cursor is none that this service gave", [Complaint("cursor", "is not valid")])
    return number, skip
