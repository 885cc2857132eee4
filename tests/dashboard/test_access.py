"""Who gets which page: roles, origins, headers. The rules are held to every route that there is."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.auth.keys import DEEDS, SCOPES
from app.dashboard import DASHBOARD
from app.dashboard.headers import CONTENT_SECURITY_POLICY
from app.dashboard.origin import origin_of
from app.dashboard.visitor import NeedScope
from app.people.roles import ROLES
from app.runtime import Runtime
from tests.dashboard.browser import check_page
from tests.dashboard.conftest import Visit
from tests.dashboard.people import Dashboard
from tests.support.http import app_on

# Pages for whoever has not signed in, and those for everybody who has.
OPEN = {"/app/sign-in", "/app/welcome/{token}", "/app/static/{name}"}
OWN = {"/app", "/app/", "/app/sign-out", "/app/me", "/app/me/theme", "/app/me/password", "/app/me/sessions",
       "/app/me/account"}  # fmt: skip


def pages() -> list[APIRoute]:
    return list(DASHBOARD.routes)


def needed_scopes(dependant: Dependant) -> Iterator[tuple[str, ...]]:
    """What each guard of the route asks for: one of these scopes."""
    if isinstance(dependant.call, NeedScope):
        yield dependant.call.scopes
    for each in dependant.dependencies:
        yield from needed_scopes(each)


def requests(route: APIRoute) -> Iterator[tuple[str, str]]:
    path = route.path
    for name in route.param_convertors:
        path = path.replace(f"{{{name}:key}}", "x").replace(f"{{{name}}}", "x")
    for method in sorted(route.methods):
        yield method, path


def forbids(role: str, route: APIRoute) -> bool:
    return any(not ROLES[role].scopes & {*scopes, "admin"} for scopes in needed_scopes(route.dependant))


def test_every_page_says_which_right_it_needs() -> None:
    assert len(pages()) >= len(OPEN | OWN)
    for route in pages():
        scopes = [scope for group in needed_scopes(route.dependant) for scope in group]
        assert bool(scopes) != (route.path in OPEN | OWN), route.path
        assert set(scopes) <= SCOPES.keys()
        if scopes and route.methods != {"GET"}:
            assert any(not scope.endswith(":read") for scope in scopes), f"{route.path} changes something"


async def test_nobody_sees_a_page_without_signing_in(dashboard: Dashboard) -> None:
    dashboard.client.cookies.clear()
    for route in pages():
        if route.path in OPEN:
            continue
        for method, path in requests(route):
            answer = await dashboard.client.request(method, path, headers={"Origin": "http://sluice.test"})
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/app/sign-in"), (method, path)


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_is_refused_what_it_has_no_scope_for(dashboard: Dashboard, role: str) -> None:
    visitor = await dashboard.as_role(role)
    refused = 0
    for route in filter(lambda route: forbids(role, route), pages()):
        for method, path in requests(route):
            answer = await visitor.client.request(method, path, headers={"Origin": "http://sluice.test"})
            assert answer.status_code == 403, (method, path)
            assert f"Ask an admin of {dashboard.account.name}" in answer.text, (method, path)
            refused += 1
    assert (refused == 0) == (role == "admin")


async def test_a_refusal_says_in_one_sentence_what_was_wanted(dashboard: Dashboard) -> None:
    viewer = await dashboard.as_role("viewer")
    wants = {"/app/imports/new": "start imports", "/app/keys": "see or change people and API keys"}
    for path, wanted in wants.items():
        refused = await viewer.get(path)
        assert refused.status_code == 403
        assert f"<p>You may not {wanted}. Ask an admin of {dashboard.account.name}.</p>" in refused.text
    assert DEEDS.keys() == SCOPES.keys()


def test_roles_grow() -> None:
    assert ROLES["viewer"].scopes < ROLES["operator"].scopes < ROLES["admin"].scopes == SCOPES.keys()
    assert all(scope.endswith(":read") for scope in ROLES["viewer"].scopes)
    assert not any(scope.startswith(("connections:w", "syncs:w", "types:w")) for scope in ROLES["operator"].scopes)


SAME, FOREIGN = {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (SAME, 303),
        (SAME | {"Origin": "https://evil.example"}, 303),  # no script can set the first
        ({"Origin": "http://sluice.test"}, 303),
        ({}, 403),
        (FOREIGN, 403),
        (FOREIGN | {"Origin": "http://sluice.test"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://sluice.test"}, 403),
        ({"Origin": "http://sluice.test.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 403),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 403),
    ],
)
async def test_only_our_own_pages_may_post(dashboard: Dashboard, headers: dict[str, str], status: int) -> None:
    content = {"content": b"theme=dark"}
    given = {"Content-Type": "application/x-www-form-urlencoded"} | headers
    assert (await dashboard.client.post("/app/me/theme", headers=given, **content)).status_code == status  # type: ignore[arg-type]


async def test_a_foreign_post_is_refused_before_its_body_is_read(dashboard: Dashboard) -> None:
    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    # After a refusal what is still sent is read and thrown away, unless the client waits to be asked for it.
    headers = FOREIGN | {"Expect": "100-continue"}
    answer = await dashboard.client.post("/app/me/theme", headers=headers, content=body())
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Imports.Example.com:443/sub/", "https://imports.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://example.com:80", "https://example.com:80"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


async def test_every_answer_below_app_has_the_headers(dashboard: Dashboard) -> None:
    answers = [await dashboard.get(path) for path in ("/app", "/app/me", "/app/nowhere", "/app/sign-in")]
    answers.append(await dashboard.client.post("/app/me/theme", headers=FOREIGN))
    dashboard.app.state.runtime = replace(dashboard.runtime, database=None)  # type: ignore[arg-type]
    answers.append(await dashboard.get("/app/me"))
    assert [answer.status_code for answer in answers] == [303, 200, 404, 303, 403, 500]
    for answer in answers:
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
    assert "content-security-policy" not in (await dashboard.get("/healthz")).headers


async def test_oneself(dashboard: Dashboard) -> None:
    viewer = await dashboard.as_role("viewer")
    assert (await viewer.post("/app/me/theme", {"theme": "dark"})).headers["location"] == "/app/me"
    page = (await viewer.get("/app/me")).text
    assert 'data-theme="dark"' in page
    assert viewer.person.cookie not in page
    assert (await viewer.post("/app/me/theme", {"theme": "pink"})).status_code == 422
    assert (await viewer.post("/app/me/account", {"account": "1"})).status_code == 404
    assert (await viewer.post("/app/me/account", {"account": "x"})).status_code == 404


async def test_pages_of_signing_in_have_no_barrier(visit: Visit) -> None:
    await check_page(await visit("/app/sign-in", role=None))
    await check_page(await visit("/app/sign-in?key=true", role=None))
    await check_page(await visit("/app/welcome/" + "x" * 43, role=None))
    await check_page(await visit("/app/me"))


@pytest.mark.parametrize("path", ["/app/sign-in", "/app/welcome/" + "x" * 43, "/app/jobs"])
async def test_whoever_has_not_signed_in_is_counted_by_address_on_every_page(runtime: Runtime, path: str) -> None:
    app = app_on(runtime, rate_limit="2/day")
    address = f"203.0.113.{sum(path.encode()) % 250}"
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://sluice.test") as stranger:
        statuses = [(await stranger.get(path, headers={"Cookie": "sluice=" + "x" * 43})).status_code for _ in range(3)]
    assert statuses[2] == 429
    assert 429 not in statuses[:2]
