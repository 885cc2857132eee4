"""Turns a run into Cordial's job, and the filters of a list of jobs into times."""

from datetime import UTC, datetime, timedelta

from app.runs.model import Run
from app.surfaces.cordial.translate.times import format_time, parse_time
from app.surfaces.cordial.vocabulary import JOB_NAME, STATUSES
from app.surfaces.cordial.wire.jobs import Job, JobQuery, Times

RESOLUTION = timedelta(microseconds=1)  # of stored times
LATEST = datetime.max.replace(tzinfo=UTC)


def job_from_run(run: Run) -> Job:
    end = None if run.finished_at is None else format_time(run.finished_at)
    message = {"message": run.fail_detail} if run.fail_detail else {}
    return Job(
        jobId=run.id,
        id=run.id,
        jobName=JOB_NAME,
        name=JOB_NAME,
        status=STATUSES[run.state],
        times=Times(start=format_time(run.created_at), end=end),
        totalItems=run.total,
        completedItems=run.processed,
        totalRecords=run.total,
        inserted=run.created,
        updated=run.updated + run.unchanged,
        rejected=run.failed + run.skipped,
        duplicate=sum(each["count"] for each in run.warnings if each["code"] == "duplicate_key"),
        invalid=run.failed,
        new=run.created,
        **message,
    )


def parse_times(query: JobQuery) -> tuple[datetime | None, datetime | None]:
    """The first time that is included, and the first one after it that is not. Raises Refused("invalid")."""
    after = parse_time(query.start_gt, "times[start][gt]")
    since = parse_time(query.start_gte, "times[start][gte]")
    before = parse_time(query.start_lt, "times[start][lt]")
    until = parse_time(query.start_lte, "times[start][lte]")
    lower = [each for each in (after and next_time(after), since) if each is not None]
    upper = [each for each in (before, until and next_time(until)) if each is not None]
    return max(lower, default=None), min(upper, default=None)


def next_time(time: datetime) -> datetime:
    """The next time that can be stored, or the last there is."""
    return time + RESOLUTION if time < LATEST else time
