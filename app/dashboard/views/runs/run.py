"""A run as its page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.dashboard.sentences import remedy_of_failure, tell_limit
from app.dashboard.views.exports.outcome import ExportView, show_export
from app.dashboard.views.runs.badge import KIND_WORDS, Badge, badge_of, short_state, title_of
from app.dashboard.views.runs.changes import ChangeView
from app.dashboard.views.runs.counts import CountsView, counts_of
from app.dashboard.views.runs.groups import MOST_GROUPS, Group, Warned, groups_of, warnings_of
from app.dashboard.visitor import Visitor
from app.runs.holding.brakes import BRAKES
from app.runs.kinds import KINDS, Kind
from app.runs.model import Interruption, Run, list_interruptions
from app.runs.overview.makers import Maker
from app.runs.progress import TROUBLES
from app.runs.states import HELD, State
from app.runs.status import Status
from app.syncs.report import SyncReport, load_report

# Where a run that has ended is started again, and the scope for that.
AGAIN: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.IMPORT: ("imports:write", "/app/imports/again"),
    Kind.EXPORT: ("exports:write", "/app/exports/again"),
}
DELETE_SCOPES: Final[Mapping[Kind, str]] = {Kind.IMPORT: "imports:delete", Kind.EXPORT: "exports:write"}


@dataclass(frozen=True, slots=True)
class RunView:
    """`no_worker` says why nobody works on anything; "" if somebody does, or nobody has looked."""

    status: Status
    badge: Badge
    title: str
    kind: str
    counts: CountsView
    groups: list[Group]
    more_groups: int
    warnings: list[Warned]
    interruptions: list[Interruption]
    source: str
    maker: Maker | None
    waits: str
    no_worker: str
    speed: int | None  # rows a second
    expires_at: datetime | None
    may_decide: bool
    may_cancel: bool
    may_retry: bool
    may_delete: bool
    may_fix: bool  # whether bad cells may be corrected on a page
    remedy: str  # what to do if it could not be finished
    report: SyncReport | None
    template: str  # the mapping template that was chosen; "" for none
    brakes: list[str]
    may_browse: bool
    connection: str  # the stored one that it could not fetch its file over; "" for none
    export: ExportView | None = None  # what has come of an export
    undoable_until: datetime | None = None  # None, too, if the visitor may not undo it
    changes: Sequence[ChangeView] = ()  # some of what it would do
    elsewhere: Sequence[str] = ()  # the imports that have all of its failed rows
    again: str = ""  # where the same can be started again; "" if the visitor may not

    @property
    def run(self) -> Run:
        return self.status.run

    @property
    def state(self) -> str:
        return self.run.state.value

    @property
    def short(self) -> str:
        return short_state(self.status)

    @property
    def staged(self) -> bool:
        """Whether nothing is written before all rows are looked at."""
        return self.run.is_staged

    @property
    def may_commit(self) -> bool:
        """Whether it is a dry run of an import, and waits for the visitor."""
        return self.may_decide and self.run.kind is Kind.IMPORT and self.run.is_dry_run

    @property
    def draft(self) -> str:
        """The draft that it checks, as long as that can be changed; "" for none."""
        return str(self.run.options.get("draft") or "") if self.run.state is State.PLANNED else ""

    @property
    def has_columns(self) -> bool:
        return self.run.kind is Kind.IMPORT and self.run.total is not None

    @property
    def said(self) -> str:
        """What is read out when it changes: the state, and each full tenth of the way."""
        tenth = int(self.status.percent // 10 * 10)
        return f"{self.badge.words}, {tenth} %" if self.badge.moves and tenth else self.badge.words


def view_run(
    status: Status,
    visitor: Visitor,
    *,
    maker: Maker | None = None,
    no_worker: str = "",
    retention_days: int,
    connections: Mapping[str, str] | None = None,
) -> RunView:
    """`connections`: the names of those that an export is delivered over, by id."""
    run, groups = status.run, groups_of(status.run)
    return RunView(
        status=status,
        badge=badge_of(status),
        title=title_of(run),
        kind=KIND_WORDS[run.kind],
        counts=counts_of(run),
        groups=groups[:MOST_GROUPS],
        more_groups=len(groups[MOST_GROUPS:]),
        warnings=list(warnings_of(run)),
        interruptions=list_interruptions(run),
        source=tell_source(run),
        maker=maker,
        waits="" if run.done or not run.waiting_for else TROUBLES[run.waiting_for],
        no_worker=no_worker,
        speed=speed_of(run),
        expires_at=run.finished_at + timedelta(days=retention_days) if run.finished_at else None,
        **tell_permissions(run, visitor),
        remedy=remedy_of_failure(run.fail_code) if run.fail_code else "",
        report=load_report(run) if run.report else None,
        template=(run.options.get("mapping") or {}).get("name") or "",
        brakes=tell_brakes(run),
        may_browse=visitor.has_scope("records:read"),
        connection=find_connection(run) if visitor.has_scope("connections:read") else "",
        export=view_export(run, visitor, connections or {}, retention_days) if run.kind is Kind.EXPORT else None,
        again=find_again(run, visitor),
    )


def tell_permissions(run: Run, visitor: Visitor) -> dict[str, Any]:
    """What the visitor may do with the run as it is now."""
    may_retry = bool(run.kind is Kind.IMPORT and run.done and run.failed) and visitor.has_scope("imports:write")
    return {
        "may_decide": run.state in HELD and visitor.has_scope(KINDS[run.kind].write_scope),
        "may_cancel": may_cancel(run, visitor),
        "may_delete": run.done and run.kind in DELETE_SCOPES and visitor.has_scope(DELETE_SCOPES[run.kind]),
        "may_retry": may_retry,
        "may_fix": may_retry and has_bad_cells(run),
    }


def may_cancel(run: Run, visitor: Visitor) -> bool:
    return not run.done and visitor.has_scope(KINDS[run.kind].write_scope)


def has_bad_cells(run: Run) -> bool:
    """Whether any row failed for a cell, and not as a whole."""
    return any(group["column"] for group in run.error_summary)


def view_export(run: Run, visitor: Visitor, connections: Mapping[str, str], retention_days: int) -> ExportView:
    may_retry = visitor.has_scope("exports:write") and visitor.has_scope("connections:read")
    return show_export(run, connections, may_retry=may_retry, retention_days=retention_days)


def find_again(run: Run, visitor: Visitor) -> str:
    scope, path = AGAIN.get(run.kind, ("", ""))
    return f"{path}/{run.id}" if run.done and scope and visitor.has_scope(scope) else ""


def tell_source(run: Run) -> str:
    """Where the file is from; "" for what reads none."""
    if run.kind in (Kind.EXPORT, Kind.UNDO):
        return ""
    source = run.source
    if source is None:
        return "uploaded"
    return f"from {source['transport'].upper()} {source.get('host') or source.get('bucket') or ''}".rstrip()


def find_connection(run: Run) -> str:
    fetching_failed = run.fail_code is not None and run.fail_code.startswith("source_")
    return str((run.source or {}).get("connection_id") or "") if fetching_failed else ""


def tell_brakes(run: Run) -> list[str]:
    """The limits that stop it."""
    limits = run.options.get("brakes") or {}
    return [tell_limit(BRAKES[name].name, limit) for name, limit in limits.items() if limit is not None]


def speed_of(run: Run) -> int | None:
    """Rows a second of a run that has ended; None where that says nothing."""
    if run.started_at is None or run.finished_at is None or run.processed < 1_000:
        return None
    seconds = (run.finished_at - run.started_at).total_seconds()
    return round(run.processed / seconds) if seconds >= 1 else None
