"""What a page offers to do with a run."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from app.dashboard.views.runs.run import RunView
from app.runs.kinds import Kind


@dataclass(frozen=True, slots=True)
class Action:
    """A link that looks like a button."""

    name: str
    words: str
    path: str
    danger: bool = False


def actions_of(view: RunView) -> Iterator[Action]:
    """In the order of the page: what helps first, what takes away last."""
    run, own = view.run, f"/app/runs/{view.run.id}"
    if view.may_decide and not view.may_commit:
        yield Action("resume", "Continue", f"{own}/resume")
    if view.may_cancel:
        yield Action("cancel", f"Cancel this {view.kind.lower()}", f"{own}/cancel", danger=True)
    if view.may_fix:
        yield Action("fix", "Correct here", f"{own}/fix")
    if run.kind is Kind.IMPORT and run.failed:
        yield Action("failed-rows", "Download failed rows", f"{own}/failed-rows.csv")
    if view.may_retry:
        yield Action("retry", "Import the failed rows once more", f"{own}/retry")
    if run.kind is Kind.IMPORT and run.blob is not None and run.processed:
        yield Action("results", "Download all rows with their outcome", f"{own}/results")
    if view.again:
        yield Action("again", f"{view.kind} again", view.again)
    if run.kind is Kind.IMPORT and run.success and run.done and view.may_browse:
        yield Action("records", "Show the records", f"/app/records/{quote(run.type, safe='')}")
    if view.undoable_until is not None:
        until = f"{view.undoable_until.day} {view.undoable_until:%B}"
        yield Action("undo", f"Undo, until {until}", f"{own}/undo", danger=True)
    if view.connection:
        yield Action("connection", "Look at the connection", f"/app/settings/connections/{view.connection}")
    if view.may_delete:
        yield Action("delete", f"Delete this {view.kind.lower()}", f"{own}/delete", danger=True)
