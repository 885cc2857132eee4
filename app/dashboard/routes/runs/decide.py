"""What somebody decides about a run: it goes on, is cancelled or deleted. A page says before what will happen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.live.run import load_run_view, run_context
from app.dashboard.render import redirect, render_page
from app.dashboard.views.runs.run import DELETE_SCOPES, RunView
from app.dashboard.visitor import MayDeleteRuns, MayReadRuns, MayWriteRuns, NeedScope, Visitor
from app.errors import Refused
from app.runs.deletion import delete_run
from app.runs.holding.cancellation import count_written, tell_what_stays
from app.runs.holding.held import Approval, commit_plan, resume_run
from app.runs.kinds import KINDS
from app.runtime import Runtime
from app.web.caller import OpenRuntime, write_as
from app.web.requests import request_id
from app.web.runs.cancelling import UNDO_SCOPE, cancel_for, find_obstacle

router = APIRouter(prefix="/app/runs/{run_id}")


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision: what its page asks, what its button says, and what the next page tells."""

    question: str
    button: str
    done: str
    danger: bool = True


DECISIONS: Final[Mapping[str, Decision]] = {
    "resume": Decision("Continue this {kind}?", "Continue without limits", "The {kind} continues.", danger=False),
    "cancel": Decision("Cancel this {kind}?", "Cancel this {kind}", "The {kind} is cancelled."),
    "delete": Decision("Delete this {kind}?", "Delete this {kind}", "The {kind} is deleted."),
}


@router.get("/resume")
@router.get("/cancel")
@router.get("/delete")
async def ask(request: Request, run_id: str, visitor: MayReadRuns, runtime: OpenRuntime) -> Response:
    """Says in numbers what will happen."""
    name = request.scope["path"].rpartition("/")[2]
    view = await load_run_view(runtime, visitor, run_id)
    await ensure_may(visitor, view, name)
    refuse_if_late(view, name)
    kind = view.kind.lower()
    return render_page(
        request,
        visitor,
        "runs/decide.html",
        name=name,
        question=DECISIONS[name].question.format(kind=kind),
        button=DECISIONS[name].button.format(kind=kind),
        danger=DECISIONS[name].danger,
        stays=tell_what_stays(view.run),
        may_take_back=count_written(view.run) > 0
        and visitor.has_scope(UNDO_SCOPE)
        and not find_obstacle(runtime, view.run),
        **run_context(runtime, view),
    )


async def ensure_may(visitor: Visitor, view: RunView, name: str) -> None:
    """Raises Refused: not_allowed, not_found."""
    kind = view.run.kind
    if name == "delete":
        if kind not in DELETE_SCOPES:
            raise Refused("not_found", f"A run of an {KINDS[kind].word} is deleted at the end of its time")
        await NeedScope((DELETE_SCOPES[kind],))(visitor)
        return
    await NeedScope((KINDS[kind].write_scope,))(visitor)
    if name == "resume" and view.run.replaces:
        await NeedScope(("imports:delete",))(visitor)


def refuse_if_late(view: RunView, name: str) -> None:
    """The page of a decision that has been taken, or cannot be taken yet. Raises Refused."""
    if name == "delete" and not view.run.done:
        raise Refused(f"{view.run.kind}_not_ended", "It is still going on, and can be deleted when it has ended")
    if name == "resume" and not view.may_decide:
        raise Refused("not_held", "Only what is stopped or planned waits for a decision")
    if name == "cancel" and view.run.done:
        raise Refused("already_ended", "It has ended already, so there is nothing to cancel")


@router.post("/resume")
async def resume(run_id: str, visitor: MayWriteRuns, runtime: OpenRuntime, plan: int | None = None) -> Response:
    """Without its brakes, from where it is; with the `plan` that was seen, and no other."""
    view = await load_to_decide(runtime, visitor, run_id, "resume")
    await resume_run(runtime, write_as(visitor.caller, runtime), view.run, Approval(plan))
    return redirect(f"/app/runs/{view.run.id}", DECISIONS["resume"].done.format(kind=view.kind.lower()))


@router.post("/commit")
async def commit(run_id: str, visitor: MayWriteRuns, runtime: OpenRuntime, plan: int | None = None) -> Response:
    """A dry run writes what its page has shown: the `plan` that was seen, and no other."""
    view = await load_to_decide(runtime, visitor, run_id, "resume")
    await commit_plan(runtime, write_as(visitor.caller, runtime), view.run, Approval(plan))
    return redirect(f"/app/runs/{view.run.id}", "The rows are being imported.")


@router.post("/cancel")
async def cancel(
    request: Request, run_id: str, visitor: MayWriteRuns, runtime: OpenRuntime, *, undo: bool = False
) -> Response:
    """What was written stays, or is taken back. It may have gone on since the page was read."""
    view = await load_to_decide(runtime, visitor, run_id, "cancel")
    run = await cancel_for(visitor.caller, runtime, view.run, undo=undo, request_id=request_id(request))
    done = DECISIONS["cancel"].done.format(kind=view.kind.lower())
    if run.undone_by is not None:
        return redirect(f"/app/runs/{run.undone_by}", f"{done} This takes back what it has written.")
    return redirect(f"/app/runs/{run.id}", done)


@router.post("/delete")
async def delete(run_id: str, visitor: MayDeleteRuns, runtime: OpenRuntime) -> Response:
    """With its file and its problems; records stay."""
    view = await load_to_decide(runtime, visitor, run_id, "delete")
    await delete_run(runtime, visitor.account_id, view.run.id, kind=view.run.kind)
    return redirect("/app/jobs", f"“{view.title}” is deleted.")


async def load_to_decide(runtime: Runtime, visitor: Visitor, run_id: str, name: str) -> RunView:
    """Raises Refused: not_found, gone, not_allowed."""
    view = await load_run_view(runtime, visitor, run_id)
    await ensure_may(visitor, view, name)
    return view
