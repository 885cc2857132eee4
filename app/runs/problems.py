"""Stores the problems of a batch as one compressed piece, and pages through those of a whole run."""

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
LARGEST_NUMBER = 2**31 - 1  # of a batch: PostgreSQL's int
match_cursor = re.compile(r"([0-9]{1,10})\.([0-9]{1,10})").fullmatch


def pack(problems: Iterable[Problem]) -> bytes | None:
    """Problems as they are stored with their batch; None when there are none."""
    listed = list(problems)
    return zlib.compress(msgspec.json.encode(listed), 3) if listed else None


def unpack(packed: bytes) -> list[Problem]:
    return decode(zlib.decompress(packed))


async def load_first(session: ReadSession, run_id: RunId, *, rows: int) -> list[Problem]:
    """The problems of the first `rows` rows that failed, in the order of the file."""
    problems: list[Problem] = []
    number, rows_seen = 1, 0
    while rows_seen < rows and (batch := await batches.with_problems(session, run_id, since=number, limit=1)):
        in_batch = await asyncio.to_thread(unpack, batch[0]["problems"])
        row_numbers = sorted({problem.row for problem in in_batch})[: rows - rows_seen]
        problems += [problem for problem in in_batch if problem.row <= row_numbers[-1]]
        number, rows_seen = batch[0]["number"] + 1, rows_seen + len(row_numbers)
    return problems


async def load_page(
    session: ReadSession, run_id: RunId, *, cursor: str | None, limit: int
) -> tuple[list[Problem], str | None]:
    """At most `limit` problems in the order of the file, beginning at `cursor`, and the cursor of the next page."""
    number, skip = parse_cursor(cursor)
    problems: list[Problem] = []
    while found := await batches.with_problems(session, run_id, since=number, limit=1):
        if found[0]["number"] != number:
            number, skip = found[0]["number"], 0
        # A batch may hold very many problems: they are not unpacked on the event loop.
        in_batch, room = (await asyncio.to_thread(unpack, found[0]["problems"]))[skip:], limit - len(problems)
        problems += in_batch[:room]
        if len(in_batch) > room:
            return problems, f"{number}.{skip + room}"
        number, skip = number + 1, 0
    return problems, None


def parse_cursor(cursor: str | None) -> tuple[int, int]:
    """The number of a batch, and how many of its problems to skip. Raises Refused("invalid") for a cursor that was not
    given out by `load_page`."""
    if cursor is None:
        return 1, 0
    match = match_cursor(cursor)
    number, skip = (int(match[1]), int(match[2])) if match else (0, LARGEST_NUMBER + 1)
    if max(number, skip) > LARGEST_NUMBER:
        reason = "`cursor` is not valid: use the one from the previous page"
        raise Refused("invalid", reason, [Complaint("cursor", reason)])
    return number, skip
