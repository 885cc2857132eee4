"""Failures as pages: what is wrong, what to do, the request id and a way back; and nothing that was typed is lost."""

import re
from dataclasses import replace
from typing import Any

import pytest
from fastapi import Request

from app.dashboard.render import render_failure
from app.errors import REFUSALS
from app.storage.database import Database
from app.web.failures import INTERNAL_ERROR, STATUSES, Failure
from tests.dashboard.people import Dashboard


def asked(path: str = "/app/jobs", **scope: Any) -> Request:
    return Request({"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], **scope})


@pytest.mark.parametrize("code", sorted({*REFUSALS, INTERNAL_ERROR} - {"not_authenticated"}))
def test_every_failure_is_a_page_with_a_remedy_an_id_and_a_way_back(code: str) -> None:
    failure = Failure(code, "The column `<b>` is wrong", retry_after=5)
    answer = render_failure(failure, asked(request_id="8f3a"))
    page = bytes(answer.body).decode()
    assert answer.status_code == STATUSES[code]
    assert "The column <code>&lt;b&gt;</code> is wrong." in page
    assert "Try again in 5 seconds." in page
    assert "<code>8f3a</code>" in page
    assert 'href="/app/jobs"' in page


async def test_a_form_that_meets_no_database_keeps_what_was_typed_but_secrets(dashboard: Dashboard) -> None:
    nowhere = Database("postgresql://nobody:x@127.0.0.1:1/nothing", pool_size=1)
    dashboard.app.state.runtime = replace(dashboard.runtime, database=nowhere)
    typed = {"name": 'My "shop" <1>', "password": "hunter2", "columns": ["a", "b"]}
    answer = await dashboard.post("/app/syncs/new?from=here", typed)
    await nowhere.close()
    assert answer.status_code == 503
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text)
    assert fields == [("name", "My &#34;shop&#34; &lt;1&gt;"), ("columns", "a"), ("columns", "b")]
    assert 'action="/app/syncs/new?from=here"' in answer.text
    assert "hunter2" not in answer.text
    assert "passwords and keys, which you are asked for again" in answer.text
