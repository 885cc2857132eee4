"""Cordial's jobs: the imports that were started on this surface."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.errors import Refused
from app.runs import status
from app.surfaces.cordial.translate.jobs import job_from_run, parse_times
from app.surfaces.cordial.vocabulary import JOB_NAME, ORIGIN
from app.surfaces.cordial.wire.errors import refusals
from app.surfaces.cordial.wire.jobs import Job, JobList, JobQuery
from app.web.caller import MayReadImports, OpenRuntime
from app.web.openapi import operation_id
from app.web.server.final_slash import FinalSlashRoute

router = APIRouter(
    prefix="/v2/jobs", tags=["jobs"], generate_unique_id_function=operation_id, route_class=FinalSlashRoute
)
JSON = "application/json"


@router.get("", response_model=JobList, responses=refusals(401, 403, 422, 429, 500, 503))
async def list_jobs(query: Annotated[JobQuery, Query()], caller: MayReadImports, runtime: OpenRuntime) -> Response:
    """List the account's jobs, newest first."""
    since, before = parse_times(query)
    if query.job_name not in (None, JOB_NAME):
        return Response(b"[]", media_type=JSON)
    async with runtime.database.read() as session:
        runs = await status.list_accepted_between(
            session, caller.account_id, [ORIGIN], since=since, before=before, page=query.page, size=query.per_page
        )
    return Response(JobList([job_from_run(run) for run in runs]).model_dump_json(exclude_unset=True), media_type=JSON)


@router.get("/{job_id}", response_model=Job, responses=refusals(401, 403, 404, 429, 500, 503))
async def get_job(job_id: str, caller: MayReadImports, runtime: OpenRuntime) -> Response:
    """Read a job. Its counts add up at every moment, and the products they count can be read."""
    days = runtime.settings.retention_days
    run = await status.look_up_run(runtime.database, caller.account_id, job_id, retention_days=days)
    if run.origin != ORIGIN:
        raise Refused("not_found", "There is no job with this id")
    return Response(job_from_run(run).encoded(), media_type=JSON)
