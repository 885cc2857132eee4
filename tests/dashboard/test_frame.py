"""What every page has: the stylesheet, the failures, and nothing that goes beyond its budget."""

import gzip

import httpx

from app.dashboard.render import open_templates
from app.dashboard.static_files import FOLDER, STATIC_FILES, static_path
from tests.dashboard.browser import check_page
from tests.dashboard.conftest import Visit


async def test_static_files_are_served_by_their_hash_for_ever(client: httpx.AsyncClient) -> None:
    for name, file in STATIC_FILES.items():
        answer = await client.get(static_path(name))
        assert (answer.status_code, answer.content) == (200, file.content)
        assert "immutable" in answer.headers["cache-control"]
    assert (await client.get("/app/static/app.000000000000.css")).status_code == 404


async def test_a_failure_below_app_is_a_page_that_says_what_to_do(client: httpx.AsyncClient) -> None:
    answer = await client.get("/app/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is no such page" in answer.text
    assert answer.headers["x-request-id"] in answer.text


def test_scripts_and_stylesheet_keep_to_their_budgets() -> None:
    scripts = [path.read_text() for path in FOLDER.glob("*.js")]
    assert sum(len(text.splitlines()) for text in scripts) <= 300
    assert sum(len(text.encode()) for text in scripts) <= 12_000
    assert (FOLDER / "app.css").stat().st_size <= 30_000
    assert len(gzip.compress((FOLDER / "app.css").read_bytes())) <= 8_000


def test_no_template_trusts_what_it_shows() -> None:
    templates = open_templates()
    assert templates.loader is not None
    for name in templates.list_templates():
        text, _, _ = templates.loader.get_source(templates, name)
        for trusting in ("|safe", "| safe", "autoescape false", "style=", "onclick", "javascript:"):
            assert trusting not in text, name


async def test_the_failure_page_has_no_barrier(visit: Visit) -> None:
    page = await visit("/app/nowhere")
    assert await page.locator("h1").inner_text() == "There is no such page"
    await check_page(page)
