"""Adds up an import and the retries and corrections that came of it: how many rows of its file are in by now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.runs.kinds import Kind
from app.runs.model import Relation, Run
from app.storage.database import Database, ReadSession
from app.storage.overview import families
from app.storage.sharing.shared_reads import FEW_KEYS

RELATIONS: Final = (Relation.RETRY, Relation.CORRECTION)
Member = Mapping[Any, Any]  # a row of `app.storage.overview.families`


@dataclass(frozen=True, slots=True)
class FamilyTotals:
    """`total` are the rows of the file of the import `first_id`, of which `failed` have not gone in with any of the
    `runs`, which are the first one and all that came of it. `open` of these have not ended."""

    first_id: str
    runs: int
    open: int
    total: int
    failed: int

    @property
    def success(self) -> int:
        return self.total - self.failed


async def read_family(session: ReadSession, run: Run) -> FamilyTotals | None:
    """The family of an import that has ended; None if it is alone."""
    if not may_have_family(run):
        return None
    return unless_alone(await families.list_members(session, run.account_id, run.id))


async def look_up_family(database: Database, run: Run) -> FamilyTotals | None:
    """The same for a poll: it shares a read with the other polls."""
    if not may_have_family(run):
        return None
    member: tuple[int, str] = run.account_id, run.id
    return unless_alone(await database.look_up(families.list_families, member, most=FEW_KEYS) or ())


def may_have_family(run: Run) -> bool:
    """Whether it is worth a look: only of what has failed rows, or came of such an import."""
    return run.kind is Kind.IMPORT and run.done and bool(run.failed or run.relation in RELATIONS)


def unless_alone(members: Sequence[Member]) -> FamilyTotals | None:
    return add_up(members) if len(members) > 1 else None


def add_up(members: Sequence[Member]) -> FamilyTotals:
    """`members` are in the order of their acceptance, the first import before the others. A corrected file that has as
    many rows as are missing is the whole file again: also with what the first one has not come to."""
    first, children = members[0], dict[str, list[Member]]()
    for member in members[1:]:
        children.setdefault(member["parent_id"], []).append(member)
    still: dict[str, int] = {}
    for member in reversed(members):  # what came of a run was accepted later
        still[member["id"]] = count_failed(member, children.get(member["id"], ()), still)
    total = first["total"] or 0
    missing = total - first["good"]  # also what it has not come to, or not written
    left = still[first["id"]] + missing - first["failed"]
    whole = [each for each in children.get(first["id"], ()) if not each["apart"] and (each["total"] or 0) >= missing]
    left = min([left, *(count_lacking(each, still) for each in whole)])
    return FamilyTotals(first["id"], len(members), sum(not each["done"] for each in members), total, left)


def count_lacking(run: Member, still: Mapping[str, int]) -> int:
    """How many rows of its file neither a run nor what came of it has brought in."""
    lacking: int = (run["total"] or 0) - run["good"] - run["failed"] + still[run["id"]]
    return lacking


def count_failed(run: Member, children: Sequence[Member], still: Mapping[str, int]) -> int:
    """How many rows of a run that failed have not gone in since. Children that are `apart` have rows of their own.

    Of corrected files nobody knows which rows they have. One with as many rows has all of them, perhaps beside others:
    what it lacks is missing, unless the others have brought in more. One with some of them counts beside the others,
    and the same file once."""
    failed: int = run["failed"]
    beside, instead, files = 0, 0, dict[str, int]()
    for child in children:
        rows, lacking = child["total"] or 0, count_lacking(child, still)
        if child["apart"]:
            beside += rows - lacking
        elif rows >= failed:
            instead = max(instead, failed - lacking)
        else:
            files[child["file_sha256"]] = max(files.get(child["file_sha256"], 0), rows - lacking)
    return max(0, failed - max(instead, beside + sum(files.values())))
