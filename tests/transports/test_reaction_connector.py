"""The page that describes Reaction's CSV connector, step by step over HTTP: settings, templates, jobs and their reuse.

One shop does all of it, in the order of the page. The comments are the page's headings and steps.
"""

import csv
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from app.resources.registry import BUILT_IN
from app.runtime import Runtime
from app.transports.transport import TransferPolicy
from tests.conftest import Finish
from tests.support.http import Account, app_on, client_of
from tests.transports.servers.s3 import s3_server
from tests.transports.servers.server import Certificates, Server
from tests.transports.servers.sftp import sftp_server
from tests.transports.test_connections import body

TYPE = "shop-products"
# What a supplier's system calls the fields, and one that nobody wants.
COLUMNS: list[dict[str, Any]] = [
    {"column": "Article", "field": "title"},
    {"column": "Net price", "field": "price", "decimalComma": True},
    {"column": "In stock", "field": "inventoryQuantity"},
    {"column": "Internal note", "ignore": True},
]
SUPPLIED = "Article;Net price;In stock;Internal note\n{};{};{};secret\n"
LABELLED = "Title,Price,Quantity\n{},{},{}\n"


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop of one account, as its dashboard would see it."""

    api: httpx.AsyncClient
    runtime: Runtime
    finish: Finish

    async def get(self, path: str, **query: str) -> Any:
        answer = await self.api.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    async def send(self, method: str, path: str, status: int = 201, **request: Any) -> dict[str, Any]:
        answer = await self.api.request(method, path, **request)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def job(self, path: str, **request: Any) -> dict[str, Any]:
        """A job that was started by this request and has ended."""
        started = await self.send("POST", path, **request)
        await self.finish(self.runtime, started["id"])
        return dict(await self.get(f"/{path.split('/')[1]}/{started['id']}"))

    async def upload(self, path: str, text: str, **parts: str) -> dict[str, Any]:
        return await self.job(path, data=parts, files={"file": ("products.csv", text.encode(), "text/csv")})

    async def download(self, export: dict[str, Any]) -> str:
        answer = await self.api.get(export["file"]["url"])
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
async def shop(
    runtime: Runtime, patient: Callable[..., TransferPolicy], an_account: Account, finish: Finish
) -> AsyncIterator[Shop]:
    calling = replace(runtime, transfer_policy=patient())
    async with client_of(app_on(calling)) as client:
        client.headers.update(an_account.headers)
        yield Shop(client, calling, finish)


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


async def test_the_page_of_reactions_connector_step_by_step(shop: Shop, bucket: Server, drive: Server) -> None:
    connections = await configure(shop, bucket, drive)
    template = await create_template(shop)
    imports = await import_from_everywhere(shop, template, connections, (bucket, drive))
    await review_mapping(shop, template)
    await reuse_imports(shop, imports, (bucket, drive))
    await update_by_id(shop)
    await download_errors(shop)
    exports = await export_to_everywhere(shop, template, connections, (bucket, drive))
    await reuse_exports(shop, exports, (bucket, drive))
    await look_at_the_queue(shop)


async def configure(shop: Shop, bucket: Server, drive: Server) -> list[str]:
    """Configuration: enter the settings, hit Save, Test for Import and Test for Export."""
    connections = []
    for name, server in (("AWS S3", bucket), ("SFTP", drive)):
        saved = await shop.send("POST", "/connections", json=body(server.remote, name))
        await server.store("in/any.csv", b"Title\n")
        for test, path in (("test-import", "in/any.csv"), ("test-export", "")):
            tested = await shop.send("POST", f"/connections/{saved['id']}/{test}", 200, json={"path": path})
            assert tested["ok"], tested
        assert await server.names() == {"in/any.csv"}
        connections.append(saved["id"])
    return connections


async def create_template(shop: Shop) -> dict[str, Any]:
    """Creating a mapping template: no job comes of it."""
    # 3. and 4. Select the data type, and download a sample CSV.
    assert TYPE in [each["name"] for each in (await shop.get("/types"))["results"]]
    sample = await shop.get(f"/types/{TYPE}/sample.csv")
    assert {"title", "price", "inventoryQuantity"} <= rows_of(sample)[0].keys()
    # 5. and 6. Upload a CSV file with at least column names in the first row.
    header = SUPPLIED.partition("\n")[0] + "\n"
    file = {"file": ("names.csv", header.encode(), "text/csv")}
    suggested = await shop.send("POST", "/mappings/suggest", 200, data={"type": TYPE}, files=file)
    assert [each["column"] for each in suggested["columns"]] == ["Article", "Net price", "In stock", "Internal note"]
    # 7. to 9. Map the columns, enter a name, hit Save.
    options = {"delimiter": ";"}
    mapping = {"name": "Supplier", "type": TYPE, "columns": COLUMNS, "options": options}
    template = await shop.send("POST", "/mappings", json=mapping)
    assert template["columns"] == COLUMNS
    sample = await shop.get(f"/mappings/{template['id']}/sample.csv")
    assert sample.splitlines()[0] == "Article;Net price;In stock"
    assert (await shop.get("/runs"))["results"] == []
    return template


async def import_from_everywhere(
    shop: Shop, template: dict[str, Any], connections: list[str], servers: tuple[Server, Server]
) -> list[dict[str, Any]]:
    """Imports: from an upload, S3 and SFTP, each with the template and with the default template."""
    ended = []
    choices = ((template["id"], SUPPLIED, "1,50"), ("default", LABELLED, "1.50"))
    for number, (mapping, text, price) in enumerate(choices):
        ended.append(
            await shop.upload(
                "/imports",
                text.format(f"Upload {number}", price, 1),
                type=TYPE,
                mappingId=mapping,
                name=f"Upload {number}",
            )
        )
        for source, connection, server in zip(("S3", "SFTP"), connections, servers, strict=True):
            name = f"{source} {number}"
            await server.store(f"in/{name}.csv", text.format(name, price, 1).encode())
            where = {"connectionId": connection, "path": f"in/{name}.csv"}
            wanted = {"type": TYPE, "mappingId": mapping, "name": name}
            ended.append(await shop.job("/imports", json=wanted | where))
    for each in ended:
        assert (each["status"], each["created"], each["errors"]) == ("finished", 1, 0), each
    stored = (await shop.get(f"/records/{TYPE}"))["results"]
    titles = {each["data"]["title"] for each in stored}
    assert titles == {f"{source} {number}" for source in ("Upload", "S3", "SFTP") for number in (0, 1)}
    assert {(each["data"]["price"], each["data"]["inventoryQuantity"]) for each in stored} == {(1.5, 1)}
    return ended


async def review_mapping(shop: Shop, template: dict[str, Any]) -> None:
    """Imports, 8.: review the mapping of an upload, save it over the template that was selected, or as a new one."""
    text = "Article;Net price;In stock;Colour\nHat;5;1;red\n"
    file = {"file": ("products.csv", text.encode(), "text/csv")}
    parts = {"type": TYPE, "mappingId": template["id"]}
    reviewed = await shop.send("POST", "/mappings/suggest", 200, data=parts, files=file)
    found = {each["column"]: each.get("field") for each in reviewed["columns"]}
    assert found == {"Article": "title", "Net price": "price", "In stock": "inventoryQuantity", "Colour": None}

    changed = [*COLUMNS[:3], {"column": "Colour", "field": "optionTitle"}]
    as_new = await shop.send("POST", "/mappings", json=template_body(template, "Supplier, with colours", changed))
    used = await shop.upload("/imports", text, type=TYPE, mappingId=as_new["id"], name="Hats")
    assert (used["created"], used["mapping"]) == (1, {"id": as_new["id"], "name": "Supplier, with colours"})

    path = f"/mappings/{template['id']}"
    overwritten = await shop.send("PUT", path, 200, json=template_body(template, template["name"], changed))
    assert overwritten["columns"] == changed
    await shop.send("PUT", path, 200, json=template_body(template, template["name"], COLUMNS))
    taken = template_body(template, template["name"], changed)
    assert (await shop.send("POST", "/mappings", 409, json=taken))["code"] == "name_taken"


def template_body(template: dict[str, Any], name: str, columns: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "type": TYPE, "columns": columns, "options": template["options"]}


async def reuse_imports(shop: Shop, imports: list[dict[str, Any]], servers: tuple[Server, Server]) -> None:
    """Reusing import jobs: same data type, template and source. A manual one gets its new file."""
    uploads, pulls = imports[::3], [*imports[1:3], *imports[4:]]
    for first, text in zip(uploads, (SUPPLIED, LABELLED), strict=True):
        again = await shop.upload(f"/imports/{first['id']}/rerun", text.format("Again", "2", 1))
        assert (again["created"], again["name"], again["parentId"]) == (1, first["name"], first["id"])
        assert again.get("mapping") == first.get("mapping")
    for number, first in enumerate(pulls):
        text = (SUPPLIED, LABELLED)[number // 2].format("Fetched again", "3", 1)
        await servers[number % 2].store(first["source"]["path"], text.encode())
        again = await shop.job(f"/imports/{first['id']}/rerun")
        assert (again["created"], again["source"], again["relation"]) == (1, first["source"], "rerun")


async def update_by_id(shop: Shop) -> None:
    """Note: with a column that is the ID of the type existing documents are updated, otherwise new ones are created."""
    (hat,) = [each for each in (await shop.get(f"/records/{TYPE}"))["results"] if each["data"]["title"] == "Hat"]
    text = f"ID,Title,Price\n{hat['key']},Hat,9.50\n,Cap,4\n"
    run = await shop.upload("/imports", text, type=TYPE, mappingId="default", name="Prices")
    assert (run["updated"], run["created"]) == (1, 1)
    assert (await shop.get(f"/records/{TYPE}/{hat['key']}"))["data"]["price"] == 9.5


async def download_errors(shop: Shop) -> None:
    """Job Queue: import errors are a CSV file once the job is done, which can be corrected and sent again."""
    text = "Title,Price\nScarf,7\nGlove,many\n,1\n"
    run = await shop.upload("/imports", text, type=TYPE, mappingId="default", name="With errors")
    assert (run["status"], run["created"], run["errors"]) == ("finished", 1, 2)
    errors = await shop.get(run["errorReportFileUrl"])
    rows = rows_of(errors.removeprefix("\ufeff"))
    assert [(row["Title"], row["Price"], row["_line"]) for row in rows] == [("Glove", "many", "3"), ("", "1", "4")]
    assert all(row["_messages"] for row in rows)
    corrected = errors.replace("many", "8").replace('"",1', "Sock,1").replace("\n,1", "\nSock,1")
    again = await shop.upload(f"/imports/{run['id']}/rerun", corrected)
    assert (again["created"], again["errors"]) == (2, 0), again["errorSummary"]


async def export_to_everywhere(
    shop: Shop, template: dict[str, Any], connections: list[str], servers: tuple[Server, Server]
) -> list[dict[str, Any]]:
    """Exports: always to download, and to S3 and SFTP at once; with the template its columns, by default all fields."""
    ended = []
    for number, mapping in enumerate((template["id"], "default")):
        path = f"out/{number}/products.csv"
        destinations = [{"connectionId": each, "path": path} for each in connections]
        for server in servers:
            await server.store(path, b"an older export")
        wanted = {"type": TYPE, "mappingId": mapping, "name": f"Export {number}", "destinations": destinations}
        run = await shop.job("/exports", json=wanted)
        assert run["status"] == "finished", run
        assert [each["status"] for each in run["destinations"]] == ["delivered", "delivered"]
        text = await shop.download(run)
        for server in servers:
            assert await server.stored(path) == text.encode()
        ended.append(run)
    of_template, of_all = [await shop.download(run) for run in ended]
    assert of_template.splitlines()[0] == "Article;Net price;In stock"
    assert "Hat;9,50;1" in of_template.splitlines()
    # Names of other records are only for imports: here are their ids.
    assert list(rows_of(of_all)[0]) == [field.id for field in BUILT_IN[TYPE].fields if not field.alias_of]
    assert {row["title"] for row in rows_of(of_all)} >= {"Upload 0", "SFTP 1", "Hat", "Cap", "Scarf"}
    return ended


async def reuse_exports(shop: Shop, exports: list[dict[str, Any]], servers: tuple[Server, Server]) -> None:
    """Reusing export jobs: same data type, template and destinations, with the records as they are now."""
    await shop.upload("/imports", "Title\nBelt\n", type=TYPE, mappingId="default")
    for number, first in enumerate(exports):
        again = await shop.job(f"/exports/{first['id']}/rerun")
        assert (again["status"], again["name"], again["parentId"]) == ("finished", first["name"], first["id"])
        text = await shop.download(again)
        assert "Belt" in text
        for server in servers:
            assert await server.stored(f"out/{number}/products.csv") == text.encode()


async def look_at_the_queue(shop: Shop) -> None:
    """Job Queue: imports and exports in one list, with their names and states."""
    jobs = (await shop.get("/runs", limit="100"))["results"]
    assert {each["status"] for each in jobs} == {"finished"}
    assert {each["kind"] for each in jobs} == {"import", "export"}
    assert {"Upload 0", "S3 1", "SFTP 0", "Prices", "With errors", "Export 0"} <= {each.get("name") for each in jobs}
    assert len([each for each in jobs if each.get("relation") == "rerun"]) == 9
