"""Jobs: poll and list them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.imports.engine import work
from app.runs.lifecycle import work_on
from app.runs.model import RunId
from app.runtime import Runtime
from tests.support import http
from tests.surfaces.cordial.conftest import Cordial

FILE = "productID,productName\nP1,One\nP1,Two\nP2,\n,Three\n"


@pytest.mark.parametrize("sign", ["gt", "lte"])
async def test_the_last_time_there_is_can_be_a_filter(cordial: Cordial, sign: str) -> None:
    asked = {f"times[start][{sign}]": "9999-12-31T23:59:59.999999Z"}
    assert (await cordial.ask("GET", "/v2/jobs", params=asked)).status_code == 200


async def test_a_job_from_its_start_to_its_end(cordial: Cordial) -> None:
    answer = await cordial.send(FILE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    job_id = answer.json()["jobId"]
    assert answer.json() == {"jobId": job_id, "jobID": job_id}
    waiting = await cordial.get(f"/v2/jobs/{job_id}")
    assert waiting == {
        "jobId": job_id,
        "id": job_id,
        "jobName": "ImportProducts",
        "name": "ImportProducts",
        "status": "Pending",
        "times": {"start": waiting["times"]["start"], "end": None},
        "totalItems": 4,
        "completedItems": 0,
        "totalRecords": 4,
        "inserted": 0,
        "updated": 0,
        "rejected": 0,
        "duplicate": 0,
        "invalid": 0,
        "new": 0,
    }
    ended = await cordial.job(answer)
    counts = {"inserted": 1, "new": 1, "updated": 1, "duplicate": 1, "rejected": 2, "invalid": 2, "completedItems": 4}
    assert ended == waiting | counts | {"status": "Done", "times": ended["times"]}
    assert re.fullmatch(r"[-0-9]{10}T[:0-9]{8}\+0000", ended["times"]["end"])


async def test_a_job_is_shown_among_the_imports(cordial: Cordial) -> None:
    job = await cordial.imported(FILE)
    answer = await cordial.ask("GET", f"/imports/{job['id']}")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["id"], found["type"], found["status"], found["success"], found["errors"]) == (
        job["id"],
        "catalog",
        "finished",
        2,
        2,
    )


async def test_an_import_of_another_surface_is_not_a_job(cordial: Cordial) -> None:
    made = await http.post(cordial.client, cordial.account)
    answer = await cordial.ask("GET", f"/v2/jobs/{made.json()['id']}")
    assert answer.status_code == 404
    assert answer.json()["errorKey"] == "RECORD_NOT_FOUND"
    assert await cordial.get("/v2/jobs") == []


async def test_a_file_that_is_gone_makes_a_failed_job(cordial: Cordial, runtime: Runtime) -> None:
    answer = await cordial.send(FILE)
    for name in http.stored_files(runtime):
        (runtime.blobs.root / name).unlink()  # type: ignore[attr-defined]
    await work_on(runtime, RunId(answer.json()["jobId"]), work)
    job = await cordial.get(f"/v2/jobs/{answer.json()['jobId']}")
    assert (job["status"], job["message"]) == ("Failed", "The stored file no longer exists")


async def test_jobs_are_listed_newest_first(cordial: Cordial) -> None:
    jobs = [await cordial.imported(FILE) for _ in range(3)]
    newest = [job["id"] for job in reversed(jobs)]
    assert [each["id"] for each in await cordial.get("/v2/jobs")] == newest
    assert [each["id"] for each in await cordial.get("/v2/jobs", page=2, per_page=2)] == newest[2:]
    assert await cordial.get("/v2/jobs", jobName="ImportContacts") == []
    assert len(await cordial.get("/v2/jobs", jobName="ImportProducts")) == 3


async def test_jobs_are_filtered_by_their_start(cordial: Cordial) -> None:
    await cordial.imported(FILE)
    today, tomorrow = datetime.now(UTC), datetime.now(UTC) + timedelta(days=1)
    past, soon = f"{today:%m-%d-%Y}", f"{tomorrow:%Y-%m-%d}"
    for query, count in (
        ({"times[start][gte]": past}, 1),
        ({"times[start][gt]": past, "times[start][lt]": soon}, 1),
        ({"times[start][lte]": past}, 0),
        ({"times[start][gt]": f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}"}, 0),
    ):
        assert len(await cordial.get("/v2/jobs", **query)) == count, query


@pytest.mark.parametrize("moment", ["13-01-2025", "01/02/2025", "yesterday", ""])
async def test_a_filter_that_is_not_a_time_is_refused(cordial: Cordial, moment: str) -> None:
    answer = await cordial.ask("GET", "/v2/jobs", params={"times[start][gt]": moment})
    assert answer.status_code == 422
    assert list(answer.json()["messages"]["validationErrors"]) == ["times[start][gt]"]


async def test_the_rate_limit_resets_in_seconds_from_now(cordial: Cordial, runtime: Runtime) -> None:
    async with http.client_of(http.app_on(runtime, rate_limit="2/hour")) as client:
        limited = Cordial(client, runtime, cordial.account)
        answers: list[Any] = [await limited.ask("GET", "/v2/health") for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    headers = answers[0].headers
    assert (headers["x-rate-limit-limit"], headers["x-rate-limit-remaining"]) == ("2", "1")
    assert 0 <= int(headers["x-rate-limit-reset"]) <= 3_600
    assert int(answers[2].headers["retry-after"]) > 0
    assert answers[2].json()["errorKey"] == "TOO_MANY_REQUESTS"
