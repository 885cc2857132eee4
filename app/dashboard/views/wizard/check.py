"""What the check of a draft's first rows has found, in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.dashboard.sentences import tell_hint
from app.dashboard.words import count_of, write_number
from app.drafts.check import DraftCheck, WouldBeRecord
from app.drafts.draft import Draft
from app.problems import REMEDIES

MOST_GROUPS: Final = 20


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """Rows that would fail for one reason."""

    what: str
    rows: int
    column: str
    seen: Sequence[str]
    line: int
    remedy: str


@dataclass(frozen=True, slots=True)
class CheckView:
    headline: str
    scope: str  # how much of the file it says something about
    tone: str
    groups: Sequence[CheckGroup]
    incomplete: Sequence[CheckGroup]
    more: int  # causes that are not shown
    warnings: Sequence[str]
    records: Sequence[WouldBeRecord]


def show_check(check: DraftCheck, draft: Draft) -> CheckView:
    total = draft.facts.rows if draft.facts else None
    groups = [show_group(each) for each in check.problems]
    return CheckView(
        tell_outcome(check),
        tell_scope(check, total),
        "bad" if check.failed == check.rows else "warn" if check.failed else "ok",
        groups[:MOST_GROUPS],
        [show_group(each) for each in check.incomplete][:MOST_GROUPS],
        max(0, len(groups) - MOST_GROUPS),
        check.warnings,
        check.records,
    )


def tell_outcome(check: DraftCheck) -> str:
    rows = count_of(check.rows, "row")
    if not check.failed:
        return f"Nothing is wrong with {'the' if check.rows == 1 else 'these'} {rows}"
    return f"{write_number(check.failed)} of {rows} would fail"


def tell_scope(check: DraftCheck, total: int | None) -> str:
    if check.whole:
        return "The whole file was checked. Nothing was written."
    of = f" of {count_of(total, 'row')}" if total is not None else ", as far as the file is known,"
    were = "was" if check.rows == 1 else "were"
    return f"The first {write_number(check.rows)}{of} {were} checked. Nothing was written."


def show_group(group: Mapping[str, Any]) -> CheckGroup:
    samples = group["samples"]
    seen = dict.fromkeys(str(each["value"]) for each in samples if each["value"] is not None)
    return CheckGroup(
        group["message"],
        group["count"],
        group["column"] or "",
        list(seen),
        samples[0]["line"],
        tell_hint(group.get("hint") or REMEDIES.get(group["code"], "")),
    )
