"""The page that describes Reaction's CSV connector, step by step in a browser: what tests/transports does over HTTP.

One person does all of it, in the order of the page. The comments are the page's headings and steps.
"""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page

from app.resources.registry import BUILT_IN
from app.runtime import Runtime
from tests.conftest import Finish
from tests.dashboard.browser import Visitors
from tests.dashboard.people import make_person
from tests.support.http import Account, app_on
from tests.support.serving import serving
from tests.transports.servers.s3 import s3_server
from tests.transports.servers.server import Certificates, Server, policy
from tests.transports.servers.sftp import sftp_server
from tests.transports.test_connections import body

TYPE = "shop-products"
SUPPLIED = "Article;Net price;In stock;Internal note\n{};{};{};secret\n"
LABELLED = "Title,Price,Quantity\n{},{},{}\n"
# What the form of a connection calls what the API names.
FORM = {
    "bucket": "Bucket",
    "region": "Region",
    "endpoint": "Endpoint",
    "accessKey": "Access key",
    "secretKey": "Secret key",
    "host": "Host",
    "port": "Port",
    "hostKey": "Host key",
    "user": "User",
    "password": "Password",
}


@dataclass(frozen=True, slots=True)
class Shop:
    """Somebody at the dashboard of one account, and a worker that works when the test says so."""

    page: Page
    runtime: Runtime
    api: httpx.AsyncClient
    finish: Finish

    async def click(self, name: str, role: Any = "button") -> None:
        await self.page.get_by_role(role, name=name, exact=True).first.click()

    async def send(self, text: str, name: str = "products.csv", *, button: str = "Upload") -> None:
        file = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
        await self.page.set_input_files("#file", file)  # type: ignore[arg-type]
        await self.click(button)

    async def get(self, path: str, **query: str) -> Any:
        """What the API tells."""
        answer = await self.api.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def download(self, words: str) -> str:
        async with self.page.expect_download() as begun:
            await self.click(words, "link")
        file = await (await begun.value).path()
        return file.read_bytes().decode("utf-8-sig")

    async def ended(self) -> dict[str, Any]:
        """The job whose page this is, once it has ended."""
        await self.page.wait_for_url("**/app/runs/*")
        run_id = self.page.url.rpartition("/")[2].partition("?")[0]
        await self.finish(self.runtime, run_id)
        await self.page.reload()
        run = await self.get(f"/runs/{run_id}")
        return dict(await self.get(f"/{run['kind']}s/{run_id}"))


@pytest.fixture
async def shop(
    chromium: Browser, runtime: Runtime, an_account: Account, certificates: Certificates, finish: Finish
) -> AsyncIterator[Shop]:
    calling = replace(runtime, transfer_policy=policy(certificates.client()))
    person = await make_person(runtime.database, an_account.name, "admin")
    async with serving(app_on(calling)) as port:
        url = f"http://127.0.0.1:{port}"
        visitors = Visitors(chromium, url)
        page = await visitors.open(person.cookies)
        async with httpx.AsyncClient(base_url=url, headers=an_account.headers) as api:
            yield Shop(page, calling, api, finish)
        await visitors.close()
    assert visitors.mishaps == []


@pytest.fixture
async def bucket(certificates: Certificates) -> AsyncIterator[Server]:
    async with s3_server(certificates) as running:
        yield running


@pytest.fixture
async def drive() -> AsyncIterator[Server]:
    """A server with SFTP."""
    async with sftp_server() as running:
        yield running


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_the_page_of_reactions_connector_up_to_its_first_imports(
    shop: Shop, bucket: Server, drive: Server
) -> None:
    connections = [await configure(shop, "AWS S3", bucket), await configure(shop, "SFTP", drive)]
    await create_template(shop)
    await import_from_everywhere(shop, connections, (bucket, drive))
    await download_errors(shop)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_page_of_reactions_connector_step_by_step(shop: Shop, bucket: Server, drive: Server) -> None:
    connections = [await configure(shop, "AWS S3", bucket), await configure(shop, "SFTP", drive)]
    await create_template(shop)
    imports = await import_from_everywhere(shop, connections, (bucket, drive))
    await review_mapping(shop)
    await reuse_imports(shop, imports, (bucket, drive))
    await update_by_id(shop)
    await download_errors(shop)
    await export_and_reuse(shop, connections, (bucket, drive))
    await look_at_the_queue(shop)


async def configure(shop: Shop, name: str, server: Server) -> str:
    """Configuration: enter the settings, hit Save, Test for Import and Test for Export. The id of the connection."""
    page, given = shop.page, body(server.remote, name)
    await page.goto(f"/app/settings/connections/new?transport={given['transport']}")
    await page.get_by_label("Name", exact=True).fill(name)
    for member, value in given.items():
        if member in FORM:
            await page.locator(f"#{member}").fill(str(value))
    await shop.click("Create connection")
    await page.get_by_role("heading", name=name, exact=True).wait_for()
    await server.store("in/any.csv", b"Title\n")
    await page.locator("#import-path").fill("in/any.csv")
    await shop.click("Test for Import")
    await page.locator("#test-import .badge.ok").wait_for()
    await shop.click("Test for Export")
    await page.locator("#test-export .badge.ok").wait_for()
    assert await server.names() == {"in/any.csv"}
    return page.url.rpartition("/")[2].partition("#")[0]


async def create_template(shop: Shop) -> None:
    """Creating a mapping template: no job comes of it."""
    # 1. to 4. "What do you want to do?", the data type, and a sample CSV.
    page = shop.page
    await page.goto("/app/start")
    await shop.click("New template", "link")
    await page.get_by_label("Record type").select_option(TYPE)
    await shop.click("Next")
    assert {"title", "price", "inventoryQuantity"} <= rows_of(await shop.download("Download a sample CSV"))[0].keys()
    # 5. and 6. Upload a CSV file with at least column names in the first row.
    await shop.send(SUPPLIED.partition("\n")[0] + "\n", button="Next")
    # 7. to 9. Map the columns, enter a name, hit Save.
    for column, field in (("Article", "title"), ("Net price", "price"), ("In stock", "inventoryQuantity")):
        await page.get_by_label(f"{column} becomes").select_option(field)
    await page.get_by_label("Internal note becomes").select_option("-")
    await page.get_by_text("3 mapped, 1 ignored.").wait_for()
    await page.locator("#more-1 summary").click()
    await page.locator("#decimalComma-1").check()
    await page.get_by_label("Name of the template").fill("Supplier")
    await shop.click("Create template")
    await page.get_by_text("Template saved.").wait_for()
    (template,) = (await shop.get("/mappings"))["results"]
    stored = await shop.get(f"/mappings/{template['id']}")
    assert stored["columns"] == [
        {"column": "Article", "field": "title"},
        {"column": "Net price", "field": "price", "decimalComma": True},
        {"column": "In stock", "field": "inventoryQuantity"},
        {"column": "Internal note", "ignore": True},
    ]
    assert (await shop.get("/runs"))["results"] == []


async def choose_source(shop: Shop, source: str | None, path: str, text: str) -> None:
    """Imports, 1. to 3.: "Import", and an upload, or a connection with the path of a file."""
    await shop.page.goto("/app/start")
    await shop.click("New import", "link")
    if source is None:
        await shop.send(text)
    else:
        await shop.click("Stored connection", "link")
        await shop.page.locator("#connection").select_option(source)
        await shop.page.locator("#path").fill(path)
        await shop.click("Use this file")
    await shop.click("Next")


async def choose_mapping(shop: Shop, mapping: str) -> None:
    """4. and 5.: the data type with its default template, or a template, which says the type."""
    await shop.page.get_by_role("heading", name="What is in it?").wait_for()
    # Templates of which nobody knows whether they fit, and types of which the file has no field.
    for folded in await shop.page.locator("#use summary").all():
        await folded.click()
    await shop.page.get_by_role("radio", name=mapping, exact=True).check()
    await shop.click("Next")


async def name_and_run(shop: Shop, name: str) -> dict[str, Any]:
    """6. and 7."""
    await shop.page.get_by_label("Name", exact=True).fill(name)
    await shop.page.get_by_role("button", name="Import").click()
    return await shop.ended()


async def upload(shop: Shop, text: str, mapping: str, name: str) -> dict[str, Any]:
    await choose_source(shop, None, "", text)
    await choose_mapping(shop, mapping)
    await shop.page.get_by_role("heading", name="Which column is what?").wait_for()
    await shop.click("Next")
    await shop.page.get_by_role("heading", name="Check without writing").wait_for()
    await shop.click("Next")
    return await name_and_run(shop, name)


async def import_from_everywhere(
    shop: Shop, connections: list[str], servers: tuple[Server, Server]
) -> list[dict[str, Any]]:
    """Imports: from an upload, S3 and SFTP, with the template and with the default template."""
    ended = []
    for number, (mapping, text, price) in enumerate((("Supplier", SUPPLIED, "1,50"), (TYPE, LABELLED, "1.50"))):
        name = f"Upload {mapping}"
        ended.append(await upload(shop, text.format(name, price, 1), mapping, name))
        name = f"Fetched {mapping}"
        await servers[number].store(f"in/{number}.csv", text.format(name, price, 1).encode())
        await choose_source(shop, connections[number], f"in/{number}.csv", "")
        await choose_mapping(shop, mapping)
        ended.append(await name_and_run(shop, name))
    assert [(each["status"], each["created"], each["errors"]) for each in ended] == [("finished", 1, 0)] * 4, ended
    stored = (await shop.get(f"/records/{TYPE}"))["results"]
    assert {each["data"]["title"] for each in stored} == {each["name"] for each in ended}
    assert {(each["data"]["price"], each["data"]["inventoryQuantity"]) for each in stored} == {(1.5, 1)}
    return ended


async def review_mapping(shop: Shop) -> None:
    """Imports, 8.: review the mapping of an upload, save it as a new template, or over the one that was selected."""
    page = shop.page
    text = "Article;Net price;In stock;Colour\nHat;5;1;red\n"
    for save in ("Save as a new template", "Overwrite Supplier"):
        await choose_source(shop, None, "", text)
        await choose_mapping(shop, "Supplier")
        assert await page.get_by_label("Net price becomes").input_value() == "price"
        await page.get_by_label("Colour becomes").select_option("optionTitle")
        await page.get_by_text("4 mapped.").wait_for()
        await page.get_by_label(save).check()
        if save == "Save as a new template":
            await page.get_by_label("Name of the new template").fill("Supplier, with colours")
        await shop.click("Next")
        await page.get_by_text("saved.").wait_for()
        await shop.click("Next")
        if save == "Save as a new template":
            used = await name_and_run(shop, "Hats")
            assert used["created"] == 1
    templates = {each["name"]: each for each in (await shop.get("/mappings"))["results"]}
    assert {name: (each["columns"], "lastUsedAt" in each) for name, each in templates.items()} == {
        "Supplier": (4, True),
        "Supplier, with colours": (4, True),
    }


async def reuse_imports(shop: Shop, imports: list[dict[str, Any]], servers: tuple[Server, Server]) -> None:
    """Reusing import jobs: same data type, template and source. A manual one gets its new file."""
    for number, first in enumerate(imports[:2]):
        await shop.page.goto("/app/start")
        await shop.click("From a previous import", "link")
        await shop.click(first["name"], "link")
        if number:
            await servers[0].store(first["source"]["path"], SUPPLIED.format("Fetched again", "3", 1).encode())
            await shop.click("Next")
        else:
            await shop.send(SUPPLIED.format("Again", "2", 1))
        again = await name_and_run(shop, first["name"])
        assert (again["created"], again["parentId"], again["relation"]) == (1, first["id"], "rerun"), again


async def update_by_id(shop: Shop) -> None:
    """Note: with a column that is the ID of the type existing documents are updated, otherwise new ones are created."""
    (hat,) = [each for each in (await shop.get(f"/records/{TYPE}"))["results"] if each["data"]["title"] == "Hat"]
    run = await upload(shop, f"ID,Title,Price\n{hat['key']},Hat,9.50\n,Cap,4\n", TYPE, "Prices")
    assert (run["updated"], run["created"]) == (1, 1)
    assert (await shop.get(f"/records/{TYPE}/{hat['key']}"))["data"]["price"] == 9.5


async def download_errors(shop: Shop) -> None:
    """Job Queue: import errors are a CSV file once the job is done, which can be corrected and sent again."""
    run = await upload(shop, "Title,Price\nScarf,7\nGlove,many\n,1\n", TYPE, "With errors")
    assert (run["status"], run["created"], run["errors"]) == ("finished", 1, 2)
    await shop.page.get_by_role("link", name="Show all rows that failed").click()
    errors = await shop.download("Download failed rows")
    assert [(row["Title"], row["Price"], row["_line"]) for row in rows_of(errors)] == [
        ("Glove", "many", "3"),
        ("", "1", "4"),
    ]
    await shop.page.goto(f"/app/imports/again/{run['id']}")
    await shop.send(errors.replace("many", "8").replace('"",1', "Sock,1").replace("\n,1", "\nSock,1"))
    again = await name_and_run(shop, "Corrected")
    assert (again["created"], again["errors"]) == (2, 0), again


async def export_and_reuse(shop: Shop, connections: list[str], servers: tuple[Server, Server]) -> None:
    """Exports: to download, and to S3 and SFTP at once; with the template its columns, by default all fields. Reusing
    export jobs: the same with the records as they are now."""
    page = shop.page
    for mapping in ("Supplier", "All fields"):
        path = f"out/{mapping}/products.csv"
        for server in servers:
            await server.store(path, b"an older export")
        await page.goto("/app/start")
        await shop.click("New export", "link")
        await page.get_by_label("Record type").select_option(TYPE)
        await shop.click("Show its templates and fields")
        if mapping == "Supplier":
            await page.get_by_label("Columns", exact=True).select_option(label=mapping)
        await shop.click("Add a destination")
        for number, connection in enumerate(connections):
            await page.locator(f"#destination-{number}-connection").select_option(connection)
            await page.locator(f"#destination-{number}-path").fill(path)
        await page.get_by_label("Name", exact=False).last.fill(f"Export {mapping}")
        await page.locator("button.main", has_text="Export").click()
        for _ in range(2):
            run = await shop.ended()
            assert [each["status"] for each in run["destinations"]] == ["delivered", "delivered"], run
            text = await shop.download("Download")
            for server in servers:
                assert await server.stored(path) == text.encode()
            header = text.splitlines()[0]
            assert header == HEADERS[mapping], header
            await page.goto(f"/app/exports/again/{run['id']}")
            await page.locator("button.main", has_text="Export").click()
        await shop.ended()


HEADERS = {
    "Supplier": "Article;Net price;In stock;Colour",
    # Names of other records are only for imports.
    "All fields": ",".join(field.id for field in BUILT_IN[TYPE].fields if not field.alias_of),
}


async def look_at_the_queue(shop: Shop) -> None:
    """Job Queue: imports and exports in one list, with their names and states."""
    await shop.page.goto("/app/jobs")
    listed = await shop.page.locator("main").inner_text()
    for name in ("Export Supplier", "Export All fields", "Corrected", "With errors", "Prices"):
        assert name in listed, name
    assert "Finished" in listed
