"""A run as Cordial's job, and what is asked of a list of them into moments."""

from datetime import UTC, datetime, timedelta

from app.runs.model import Run
from app.surfaces.cordial.translate.moments import moment_from, shown
from app.surfaces.cordial.vocabulary import JOB_NAME, STATUSES
from app.surfaces.cordial.wire.jobs import Job, JobsAsked, Times

NEXT = timedelta(microseconds=1)  # what moments are stored to
LAST = datetime.max.replace(tzinfo=UTC)


def job(run: Run) -> Job:
    end = None if run.finished_at is None else shown(run.finished_at)
    told = {"message": run.fail_detail} if run.fail_detail else {}
    return Job(
        jobId=run.id,
        id=run.id,
        jobName=JOB_NAME,
        name=JOB_NAME,
        status=STATUSES[run.state],
        times=Times(start=shown(run.created_at), end=end),
        totalItems=run.total,
        completedItems=run.processed,
        totalRecords=run.total,
        inserted=run.created,
        updated=run.updated + run.unchanged,
        rejected=run.failed + run.skipped,
        duplicate=sum(each["count"] for each in run.warnings if each["code"] == "duplicate_key"),
        invalid=run.failed,
        new=run.created,
        **told,
    )


def times(asked: JobsAsked) -> tuple[datetime | None, datetime | None]:
    """Since when, and before when. Raises Refused("invalid")."""
    after = moment_from(asked.start_gt, "times[start][gt]")
    since = moment_from(asked.start_gte, "times[start][gte]")
    before = moment_from(asked.start_lt, "times[start][lt]")
    until = moment_from(asked.start_lte, "times[start][lte]")
    lower = [each for each in (after and following(after), since) if each is not None]
    upper = [each for each in (before, until and following(until)) if each is not None]
    return max(lower, default=None), min(upper, default=None)


def following(moment: datetime) -> datetime:
    """The next one, or the last there is."""
    return moment + NEXT if moment < LAST else moment
