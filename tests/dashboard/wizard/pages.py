"""The wizard as a browser without script goes through it."""

import re
from html import unescape

import httpx
from sqlalchemy import text

from app.mappings.templates.stored import create_template
from app.resources.registry import BUILT_IN
from tests.dashboard.people import Dashboard

SHOP = b"Mail;Points;Note\na@example.org;1.250;x\nb@example.org;n/a;y\n;1;z\n"
MAPPING = {
    "columns": [
        {"column": "Mail", "field": "_email"},
        {"column": "Points", "field": "_points", "decimalComma": True},
        {"column": "Note", "ignore": True},
    ]
}


def words(answer: httpx.Response) -> str:
    """What somebody reads on the page."""
    main = answer.text[answer.text.index("<main") :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def next_path(answer: httpx.Response) -> str:
    assert answer.status_code == 303, words(answer)
    return str(answer.headers["location"])


async def upload(
    dashboard: Dashboard, data: bytes, name: str = "shop.csv", path: str = "/app/imports/new/upload"
) -> httpx.Response:
    return await dashboard.post(path, files={"file": (name, data, "text/csv")})


async def begin(dashboard: Dashboard, data: bytes = SHOP, name: str = "shop.csv") -> str:
    """The address of the pages of a new draft."""
    return next_path(await upload(dashboard, data, name)).removesuffix("/source")


async def make_template(dashboard: Dashboard, name: str = "Shop") -> str:
    body = {"name": name, "type": "contacts", **MAPPING}
    async with dashboard.runtime.database.transaction() as session:
        return (await create_template(session, dashboard.person.account_id, body, BUILT_IN["contacts"])).id


async def pass_columns(dashboard: Dashboard, base: str) -> None:
    """As if the columns had been chosen: their page has tests of its own."""
    async with dashboard.runtime.database.transaction() as session:
        await session.execute(text("UPDATE drafts SET step = 'run' WHERE id = :id"), {"id": base.rpartition("/")[2]})


async def reach_run(dashboard: Dashboard, template: str, data: bytes = SHOP) -> str:
    """A draft with a template that fits, at the last step."""
    base = await begin(dashboard, data)
    await dashboard.post(f"{base}/source")
    assert next_path(await dashboard.post(f"{base}/type", {"use": f"template:{template}"})) == f"{base}/columns"
    await pass_columns(dashboard, base)
    return base
