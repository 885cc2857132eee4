"""Runs that are held: somebody resumes or cancels them, and if nobody does in time they are cancelled."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from app.errors import Refused
from app.observe.events import RunResumed
from app.runs.acceptance import enqueue_run
from app.runs.holding.brakes import Brakes
from app.runs.kinds import KINDS
from app.runs.lifecycle import announce_end, end_run
from app.runs.model import Run, run_from
from app.runs.states import HELD, State, states_before
from app.runtime import Runtime
from app.storage import claims, runs
from app.storage.database import Session
from app.storage.drafts import rows as drafts
from app.storage.json_columns import compile_reader

Opening = AbstractAsyncContextManager[Session]
read_brakes = compile_reader(Brakes)

NOT_HELD = "Only a run that is halted or planned can be {done}, and this {kind} is {state}"
PLAN_CHANGED = "The run waits with plan {now} by now, and not with plan {shown}. {why}"
NOT_PLANNED: Final = "Only an import that was started with `dryRun` can be committed"
SEE_PLAN: Final = "{why}. Look at what it would do by now, and commit it with its `plan`, which is {now}"
ACCEPTED: Final = "accepted"  # the member of the run's options that has the limits of an approval
RESUMED: Final = "resumed"  # the member that says that somebody let it go on with its brakes
DRAFT: Final = "draft"  # the member that has the draft of which the run is a check
EXPIRED = "It was {state} for {hours} hours, and nobody resumed or cancelled it"


@dataclass(frozen=True, slots=True)
class Approval:
    """What somebody who resumes a run agrees to: its `plan`, or whatever it is by now if there is none, and to nothing
    else. With `within` also to anything else that it comes to until it is written, as far as these limits let it."""

    plan: int | None = None
    within: Brakes | None = None


AS_SHOWN: Final = Approval()


async def resume_run(runtime: Runtime, opening: Opening, run: Run, approval: Approval = AS_SHOWN) -> Run:
    """Lets a held run go on where it is, with its brakes off unless it was only short of room. One that was resumed
    before stays as it is. `opening` is a transaction in the name of the caller.

    Raises Refused: not_held, plan_changed."""
    options = msgspec.json.encode({ACCEPTED: approval.within}).decode()
    async with opening as session:
        row = await claims.resume(
            session, run.id, before=states_before(State.QUEUED), attempt=approval.plan, options=options
        )
        run = run if row is not None else await look_again(session, run)
        if row is not None and row["options"].get(DRAFT):
            await drafts.use_up(session, run.account_id, run.options[DRAFT], run.id)
    if row is not None:
        runtime.observe(RunResumed(run.id, run.account_id))
        await enqueue_run(runtime, run.id, row["kind"], row["step"], row["attempt"])
        return run_from(row)
    if run.state in HELD and approval.plan is not None:
        why = run.fail_detail or "Nothing stops it"
        raise Refused("plan_changed", PLAN_CHANGED.format(shown=approval.plan, now=run.plan_number, why=why))
    if (run.options.get("released") or run.options.get(RESUMED)) and run.state not in HELD:
        return run
    raise refuse(run, "resumed")


async def commit_plan(runtime: Runtime, opening: Opening, run: Run, approval: Approval = AS_SHOWN) -> Run:
    """Lets a dry run write what it has shown. Unlike `resume_run` it never takes another plan for the one that was
    looked at: if others have changed records the run is halted, and has to be committed with the number of its new
    plan. Sent again it does nothing more. Raises Refused: not_held, not_planned, plan_changed."""
    if not run.is_dry_run:
        raise Refused("not_planned", NOT_PLANNED)
    if run.state not in HELD:
        if run.options.get("released"):
            return run
        raise refuse(run, "committed")
    if run.state is State.HALTED and approval.plan is None:
        raise Refused("plan_changed", SEE_PLAN.format(now=run.plan_number, why=run.fail_detail))
    seen = run.plan_number if approval.plan is None else approval.plan
    return await resume_run(runtime, opening, run, replace(approval, plan=seen))


def read_accepted(run: Run) -> Brakes | None:
    """The limits within which a run may do something else than it has shown; None: it may not."""
    stored = run.options.get(ACCEPTED)
    return None if stored is None else read_brakes(stored)


async def cancel_expired(runtime: Runtime) -> None:
    """Cancels the runs that nobody has resumed or cancelled in time."""
    hours = runtime.settings.plan_hours
    async with runtime.database.transaction() as session:
        ended = [
            await end_run(
                session,
                row["id"],
                row["attempt"],
                State.CANCELLED,
                code="plan_expired",
                detail=EXPIRED.format(state=row["state"], hours=hours),
            )
            for row in await claims.find_expired(session, hours=hours)
        ]
    for run in ended:
        announce_end(runtime, run)


async def look_again(session: Session, run: Run) -> Run:
    """The run by now: somebody else may have decided since it was read."""
    row = await runs.get(session, run.account_id, run.id)
    return run if row is None else run_from(row)


def refuse(run: Run, done: str) -> Refused:
    return Refused("not_held", NOT_HELD.format(kind=KINDS[run.kind].word, done=done, state=run.state))
