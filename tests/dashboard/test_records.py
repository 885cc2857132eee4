"""Pages of record types and records: every key is reached, and a record leads back to the row that wrote it."""

import hashlib
import html
import json
import re

import httpx
import pytest
from sqlalchemy import text

from app.dashboard.views.catalogue.records import choose_columns, record_path
from app.dashboard.views.catalogue.types import write_count
from app.item_images.kept_pictures import keep_picture
from app.resources.registry import BUILT_IN
from app.runtime import Runtime
from app.storage.counts.records import RecordCount
from tests.conftest import Finish
from tests.dashboard.people import Dashboard
from tests.support.http import post
from tests.support.pictures import picture

KEYS = ["a/b c", "100%", "ünï", "q?x=1#y", "..", ".", "a%2Fb", "<b>x", "two\nlines"]
CODE = re.compile(r'<span class="mono">code</span></th>\s*<td>.*?<code class="chip">(.*?)</code>', re.DOTALL)
TYPE = {
    "key": "code",
    "fields": [
        {"id": "code", "type": "text"},
        {"id": "price", "type": "decimal", "label": "Price"},
        {"id": "owner", "type": "reference", "to": "contacts"},
    ],
}


@pytest.fixture
async def things(client: httpx.AsyncClient, dashboard: Dashboard, runtime: Runtime, finish: Finish) -> str:
    """The import that wrote a record under each of the keys."""
    account, rows = dashboard.account, "".join(f'"{key}",0.10,john@example.org\n' for key in KEYS)
    await finish(runtime, (await post(client, account)).json()["id"])
    assert (await client.put("/types/things", headers=account.headers, json=TYPE)).status_code == 201
    file = {"file": ("things.csv", f"code,price,owner\n{rows}".encode())}
    run = (await client.post("/imports", headers=account.headers, data={"type": "things"}, files=file)).json()
    await finish(runtime, run["id"])
    return str(run["id"])


def links(page: httpx.Response, beginning: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'href="([^"]+)"', page.text) if each.startswith(beginning)]


async def test_types_are_listed_with_what_a_file_needs(
    client: httpx.AsyncClient, dashboard: Dashboard, things: str
) -> None:
    page = await dashboard.get("/app/records")
    own, built_in = page.text.split("Built-in types", 1)
    assert ">things</a>" in own
    assert f'data-label="Records">{len(KEYS)}</td>' in own
    assert all(f">{name}</a>" in built_in for name in BUILT_IN)
    sample = await dashboard.get("/app/samples/contacts")
    assert sample.text == (await client.get("/types/contacts/sample.csv", headers=dashboard.account.headers)).text
    assert sample.headers["content-disposition"] == 'attachment; filename="contacts-sample.csv"'
    assert (await dashboard.get("/app/records/nothing")).status_code == 404


async def test_every_key_leads_to_its_record(dashboard: Dashboard, things: str) -> None:
    table = await dashboard.get("/app/records/things")
    paths = [each for each in links(table, "/app/records/things") if each != "/app/records/things"]
    assert len(paths) == len(KEYS)
    for path in paths:
        page = await dashboard.get(path)
        key = CODE.findall(page.text)
        assert html.unescape(key[0]).replace("\u240a", "\n") in KEYS, path
        assert links(page, "/app/records/contacts/") == ["/app/records/contacts/john%40example.org"]
        assert "0.10" in page.text


async def test_a_key_is_gone_to_or_what_comes_after_it_is_shown(dashboard: Dashboard, things: str) -> None:
    found = await dashboard.get("/app/records/contacts?key=JOHN@example.org")
    assert (found.status_code, found.headers["location"]) == (303, "/app/records/contacts/john%40example.org")
    after = await dashboard.get("/app/records/contacts", params={"key": "k<i>"})
    assert "No record has the key" in after.text
    assert "k&lt;i&gt;" in after.text
    assert links(after, "/app/records/contacts/") == ["/app/records/contacts/steve%40example.org"]


async def test_days_and_moments_are_written_as_people_read_them(dashboard: Dashboard, runtime: Runtime) -> None:
    data = {"_birthdate": "1984-05-06", "_firstPurchaseDate": "2025-02-01T08:30:00.000Z", "_name": "2025-02-01"}
    row = """INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row)
        VALUES (:id, 'contacts', 'a@example.org', :data, now(), now(), 1, 1)"""
    async with runtime.database.transaction() as session:
        await session.execute(text(row), {"id": dashboard.account.id, "data": json.dumps(data)})
    for path in ("/app/records/contacts", "/app/records/contacts/a%40example.org"):
        page = (await dashboard.get(path)).text
        assert "6 May 1984" in page
        assert '<time datetime="2025-02-01T08:30:00Z">1 February 2025, 08:30 UTC</time>' in page
        assert "2025-02-01<" in page  # a text stays as it is


async def test_a_long_table_goes_on_where_it_ended(dashboard: Dashboard, runtime: Runtime) -> None:
    rows = """INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row)
        SELECT :id, 'products', 'p' || lpad(i::text, 3, '0'), '{}', now(), now(), 1, i FROM generate_series(1, 120) i"""
    async with runtime.database.transaction() as session:
        await session.execute(text(rows), {"id": dashboard.account.id})
    seen, path = [], "/app/records/products"
    while path:
        page = await dashboard.get(path)
        seen += re.findall(r'class="mono" href="/app/records/products/(p\d+)"', page.text)
        path = next(iter(links(page, "/app/records/products?after=")), "")
    assert seen == [f"p{number:03}" for number in range(1, 121)]


async def test_a_record_leads_to_the_row_as_it_was_sent(dashboard: Dashboard, things: str) -> None:
    page = await dashboard.get("/app/records/things/100%25")
    (row,) = links(page, "/app/imports/")
    assert f"/app/runs/{things}" in links(page, "/app/runs/")
    assert ">things.csv</a>" in page.text
    assert ">row 2 as it was sent</a>" in page.text  # a key of this file has two lines
    sent = await dashboard.get(row)
    assert (sent.status_code, "<h1>Line 3</h1>" in sent.text) == (200, True)
    assert "john@example.org" in sent.text
    assert (await dashboard.get(f"/app/imports/{things}/rows/99")).status_code == 404


async def test_a_record_names_its_line_unless_a_row_of_the_file_may_be_several(
    client: httpx.AsyncClient, dashboard: Dashboard, runtime: Runtime, finish: Finish
) -> None:
    for file, named, line in (
        (b"_email,_name\na@example.org,Ann\nb@example.org,Bob", "line 3", 3),
        (b'_email,_name\na@example.org,"An\nn"\nb@example.org,Bib', "row 2", 4),
    ):
        await finish(runtime, (await post(client, dashboard.account, file)).json()["id"])
        page = await dashboard.get("/app/records/contacts/b@example.org")
        assert f">{named} as it was sent</a>" in page.text
        (row,) = links(page, "/app/imports/")
        assert f"<h1>Line {line}</h1>" in (await dashboard.get(row)).text


async def test_what_is_wrong_with_a_row_leads_to_the_row(
    client: httpx.AsyncClient, dashboard: Dashboard, runtime: Runtime, finish: Finish
) -> None:
    file = b"_email,_name,_points\na@example.org,Ann,1\nnobody,<i>Bob</i>,2\n"
    run = (await post(client, dashboard.account, file)).json()
    await finish(runtime, run["id"])
    page = await dashboard.get(f"/app/runs/{run['id']}/problems")
    (row,) = links(page, "/app/imports/")
    sent = await dashboard.get(row)
    assert "<h1>Line 3</h1>" in sent.text
    assert "&lt;i&gt;Bob&lt;/i&gt;" in sent.text


async def test_the_pictures_of_an_item_come_from_our_own_origin(
    client: httpx.AsyncClient, dashboard: Dashboard, runtime: Runtime, finish: Finish
) -> None:
    account = dashboard.account
    content = picture()
    sha256 = hashlib.sha256(content).hexdigest()
    await keep_picture(runtime, account.id, sha256, content)
    rows = f"id,itemCode,sequence,sha256\na/1_1,a/1,1,{sha256}\n".encode()
    for type_, file in (("items", b"itemCode\na/1\n"), ("item-images", rows)):
        files = {"file": ("f.csv", file)}
        run = (await client.post("/imports", headers=account.headers, data={"type": type_}, files=files)).json()
        await finish(runtime, run["id"])
    for path in ("/app/records/items/a%2F1", "/app/records/item-images/a%2F1_1"):
        page = await dashboard.get(path)
        (source,) = re.findall(r'<img src="([^"]+)"', page.text)
        assert source == "/app/pictures/1/a%2F1"
        shown = await dashboard.get(source)
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    other = await dashboard.as_role("viewer")
    assert (await other.get("/app/pictures/1/a%2F1")).status_code == 200
    assert (await other.get("/app/pictures/2/a%2F1")).status_code == 404


def test_a_wide_type_shows_what_its_records_have() -> None:
    row = {"productId": "1", "brand": "Logi", "name": "Mouse", "unitPrice": 1, "own": "x", "rating": None, "tags": []}
    assert [each.id for each in choose_columns(BUILT_IN["products"], [row])] == ["name", "unitPrice", "brand", "own"]


def test_a_number_that_is_estimated_says_so() -> None:
    assert write_count(RecordCount(9_999)) == "9,999"
    assert write_count(RecordCount(996_550, "estimated")) == "about 1,000,000"
    assert write_count(RecordCount(21_101, "estimated")) == "about 21,000"
    assert write_count(RecordCount(10_000, "at_least")) == "more than 10,000"


def test_a_key_of_dots_is_no_folder_to_a_browser() -> None:
    assert record_path("things", "..") == "/app/records/things?key=.."
    assert record_path("things", "a/../b") == "/app/records/things/a%2F..%2Fb"


async def test_records_and_types_are_deleted_by_those_who_may(
    things: str, client: httpx.AsyncClient, dashboard: Dashboard
) -> None:
    for key in KEYS:
        page = await dashboard.get(record_path("things", key), follow_redirects=True)
        (sent,) = re.findall(r'name="key" value="([^"]+)"><button class="danger">', page.text)
        gone = await dashboard.post("/app/records/things", {"key": sent})
        assert (gone.status_code, gone.headers["location"].partition("?")[0]) == (303, "/app/records/things"), key
    assert (await client.get("/records/things", headers=dashboard.account.headers)).json()["results"] == []
    assert (await dashboard.post("/app/records/things", {"key": "none"})).status_code == 404
    assert "Delete this type" not in (await dashboard.get("/app/records/contacts")).text
    assert "Delete this type" in (await dashboard.get("/app/records/things")).text
    assert (await dashboard.post("/app/types/contacts/delete")).status_code == 409
    assert (await dashboard.post("/app/types/things/delete")).status_code == 303
    assert (await dashboard.get("/app/records/things")).status_code == 404
