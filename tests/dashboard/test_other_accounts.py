"""What another account has is not found, on every page that names something. A new page is covered by its path."""

from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import product

import pytest
from fastapi.routing import APIRoute

from app.drafts.draft import add_draft
from app.runs.model import AccountId
from app.runtime import Runtime
from tests.dashboard.people import Dashboard, make_person, new_dashboard
from tests.dashboard.test_access import OPEN, pages
from tests.support.http import app_on, client_of, make_account
from tests.surfaces.test_isolation import Owner, furnished

Named = Mapping[str, list[str]]


@pytest.fixture(scope="module")
async def owner(runtime: Runtime) -> tuple[Owner, Named]:
    return await furnish(runtime)


async def furnish(runtime: Runtime) -> tuple[Owner, Named]:
    """An account that has something of everything, and its ids by the parameters of paths."""
    account = await make_account(runtime)
    async with client_of(app_on(runtime)) as client:
        empty = Owner(account, client, f"mark{account.name[-8:]}", {}, "", f"t{account.name[-8:]}", *[""] * 9)
        owner = await furnished(empty, runtime)
    person = await make_person(runtime.database, account.name, "admin")
    async with runtime.database.transaction() as session:
        draft = await add_draft(session, AccountId(account.id), {"created_by": person.id})
    runs = [*owner.runs.values(), owner.export]
    return owner, {
        "run_id": runs, "import_id": runs, "export_id": runs, "draft_id": [draft.id], "template_id": [owner.mapping],
        "type": [owner.own], "key": [f"key-{owner.own}"], "row": ["1"],
        "sequence": ["1"], "item": [f"item/{owner.own}"],
        "sync_id": [owner.sync], "schedule_id": [owner.schedule], "feed_id": [owner.feed],
        "webhook_id": [owner.webhook], "delivery_id": [owner.message],
        "connection_id": [owner.connection], "key_id": [account.key.partition(":")[0]], "person_id": [person.id],
    }  # fmt: skip


@pytest.fixture(scope="module")
async def stranger(runtime: Runtime) -> AsyncIterator[Dashboard]:
    opened = await new_dashboard(runtime)
    yield opened
    await opened.close()


def filled(route: APIRoute, named: Named) -> Iterator[str]:
    """Raises KeyError for a parameter whose ids the fixture does not name."""
    names = list(route.param_convertors)
    for values in product(*(named[name] for name in names)):
        path = route.path
        for name, value in zip(names, values, strict=True):
            path = path.replace(f"{{{name}}}", value).replace(f"{{{name}:key}}", value.replace("/", "%2F"))
        yield path


NAMING = [
    pytest.param(route, method, id=f"{method} {route.path}")
    for route in pages()
    for method in route.methods
    if route.param_convertors and route.path not in OPEN
]


@pytest.mark.parametrize(("route", "method"), NAMING)
async def test_it_is_not_found(owner: tuple[Owner, Named], stranger: Dashboard, route: APIRoute, method: str) -> None:
    has, named = owner
    for path in filled(route, named):
        answer = await (
            stranger.get(path, follow_redirects=True) if method == "GET" else stranger.post(path, {"name": "x"})
        )
        assert answer.status_code == 404, path
        assert has.mark not in answer.text, path
