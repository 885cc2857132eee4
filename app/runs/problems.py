"""Stores the problems of a batch compressed, and pages through those of a whole run.

What is stored is one zlib stream of a JSON array, so that release 0.1 can read it. A batch may hold 200,000 problems,
and a page shows a few. So the stream can be entered anew (Z_FULL_FLUSH) before each piece of PIECE problems, and where
those places are follows the stream.
"""

import asyncio
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final

import msgspec

from app.errors import Complaint, Refused
from app.problems import Problem
from app.runs.model import RunId
from app.storage import batches
from app.storage.database import ReadSession

decode = msgspec.json.Decoder(list[Problem]).decode
LARGEST_NUMBER = 2**31 - 1  # of a batch: PostgreSQL's int
match_cursor = re.compile(r"([0-9]{1,10})\.([0-9]{1,10})").fullmatch


PIECE = 1_000  # problems that are unpacked at once: less than a megabyte, as a rule
MARK = b"\0pieces\0"  # the last bytes of problems whose stream can be entered
NUMBER = 4  # bytes of an offset, and of their number
MOST_OF_PAGE = 100_000  # problems that a page looks at: a quarter of a second
MOST_OF_ROWS = 20_000  # problems that are listed with a number of rows: a row may have hundreds


def pack(problems: Iterable[Problem]) -> bytes | None:
    """Problems as they are stored with their batch; None when there are none."""
    listed = list(problems)
    if not listed:
        return None
    compressor, packed, offsets = zlib.compressobj(3), bytearray(), []
    for first in range(0, len(listed), PIECE):
        packed += compressor.compress(b"," if first else b"[") + compressor.flush(zlib.Z_FULL_FLUSH)
        offsets.append(len(packed))
        packed += compressor.compress(msgspec.json.encode(listed[first : first + PIECE])[1:-1])
    packed += compressor.compress(b"]") + compressor.flush()
    places = [*offsets, len(packed), len(offsets) + 1]
    return bytes(packed) + b"".join(each.to_bytes(NUMBER) for each in places) + MARK


def unpack(packed: bytes, *, skip: int = 0) -> Iterator[Problem]:
    """The problems in the order of the file, a piece at a time, without the first `skip`. Blocking."""
    if not packed.endswith(MARK):  # of release 0.1
        yield from islice(decode(zlib.decompress(packed)), skip, None)
        return
    for start, end in islice(pairwise(read_places(packed)), skip // PIECE, None):
        # What follows a piece is the comma or bracket after it.
        text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed[start:end]).rstrip(b",]")
        yield from islice(decode(b"[" + text + b"]"), skip % PIECE, None)
        skip = 0


def read_places(packed: bytes) -> list[int]:
    """Where each piece begins, and where the last one ends."""
    end = len(packed) - len(MARK) - NUMBER
    count = int.from_bytes(packed[end : end + NUMBER])
    return [int.from_bytes(packed[at : at + NUMBER]) for at in range(end - count * NUMBER, end, NUMBER)]


async def load_first(session: ReadSession, run_id: RunId, *, rows: int) -> list[Problem]:
    """The problems of the first `rows` rows that failed, in the order of the file, but no more than MOST_OF_ROWS."""
    problems: list[Problem] = []
    number = 1
    while batch := await batches.with_problems(session, run_id, since=number, limit=1):
        seen = len({problem.row for problem in problems})
        problems += await asyncio.to_thread(take_rows, batch[0]["problems"], rows - seen)
        if len({problem.row for problem in problems}) == rows or len(problems) >= MOST_OF_ROWS:
            break
        number = batch[0]["number"] + 1
    return problems[:MOST_OF_ROWS]


def take_rows(packed: bytes, rows: int) -> list[Problem]:
    """The problems of the first `rows` rows of a batch. Blocking."""
    taken: list[Problem] = []
    numbers: set[int] = set()
    for problem in islice(unpack(packed), MOST_OF_ROWS):
        numbers.add(problem.row)
        if len(numbers) > rows:
            break
        taken.append(problem)
    return taken


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which problems of a run: those of a cause, of a column or field, or both; all of them if neither is given."""

    code: str | None = None
    column: str | None = None

    def fits(self, problem: Problem) -> bool:
        return self.code in (None, problem.code) and self.column in (None, problem.column, problem.field)


ALL: Final = Wanted()


async def load_page(
    session: ReadSession, run_id: RunId, *, cursor: str | None, limit: int, wanted: Wanted = ALL
) -> tuple[list[Problem], str | None]:
    """At most `limit` problems in the order of the file, beginning at `cursor`, and the cursor of the next page. When
    few are wanted a page looks at MOST_OF_PAGE problems, so that it may hold fewer, even none, and have a next one."""
    number, skip = parse_cursor(cursor)
    problems: list[Problem] = []
    looked_at = 0
    while found := await batches.with_problems(session, run_id, since=number, limit=1):
        if found[0]["number"] != number:
            number, skip = found[0]["number"], 0
        room = limit - len(problems)
        # Not on the event loop, because a piece may be large.
        taken, end = await asyncio.to_thread(take, found[0]["problems"], skip, room, wanted)
        problems += taken
        looked_at += end - skip
        if end < found[0]["problem_count"]:
            return problems, f"{number}.{end}"
        number, skip = number + 1, 0
        if looked_at >= MOST_OF_PAGE:
            return problems, f"{number}.0"
    return problems, None


def take(packed: bytes, skip: int, room: int, wanted: Wanted) -> tuple[list[Problem], int]:
    """The next problems that are wanted, and at which place a page that has no more `room` ended. Blocking."""
    taken: list[Problem] = []
    end = skip
    for problem in unpack(packed, skip=skip):
        if len(taken) == room:
            break
        end += 1
        if wanted.fits(problem):
            taken.append(problem)
    return taken, end


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
