"""Exports over HTTP: started, read, listed, downloaded whole and in part, and deleted."""

import asyncio
import gzip
import hashlib
import json
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.contract import DOCUMENTS
from tests.support.http import Account, post, stored_files

HEADER = (
    "_email,_externalId,_name,_surname,_birthdate,_emailStatus,_mobilePhone,_mobilePhoneStatus,"
    "_newsletterSubscriptionStatus,_smsSubscriptionStatus,_points"
)
NOT_A_MOMENT = "must be a time with its zone, such as 2026-11-27T10:00:00Z"
NOT_IN_UTC = "must lie between the years 1 and 9999 in UTC"
EXPORTED = f"{HEADER}\njohn@example.org,,John,,,,,,,,10\nsteve@example.org,,Steve,,,,,,,,20\n"


async def export(
    client: httpx.AsyncClient, account: Account, runtime: Runtime, finish: Finish, **body: object
) -> dict[str, Any]:
    """An export that has ended."""
    started = await client.post("/exports", headers=account.headers, json={"type": "contacts", **body})
    assert started.status_code == 201, started.text
    await finish(runtime, started.json()["id"])
    ended: dict[str, Any] = (await client.get(f"/exports/{started.json()['id']}", headers=account.headers)).json()
    return ended


async def fill(client: httpx.AsyncClient, account: Account, runtime: Runtime, finish: Finish) -> None:
    await finish(runtime, (await post(client, account)).json()["id"])


async def download(
    client: httpx.AsyncClient, account: Account, ended: dict[str, Any], **headers: str
) -> httpx.Response:
    return await client.get(ended["file"]["url"], headers=account.headers | headers)


async def test_every_field_of_every_record_is_in_the_file(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    await fill(client, an_account, runtime, finish)
    started = await client.post("/exports", headers=an_account.headers, json={"type": "contacts", "name": "All"})
    assert started.json().keys() == {
        "id", "name", "type", "status", "format", "delimiter", "encoding", "gzip", "formulas", "mappingId", "total",
        "written", "done", "percent", "warnings", "queuePosition", "waitsFor", "createdAt", "links",
    }  # fmt: skip
    assert (started.json()["status"], started.json()["total"]) == ("queued", None)
    assert int((await client.get(started.json()["links"]["self"], headers=an_account.headers)).headers["retry-after"])

    await finish(runtime, started.json()["id"])
    ended = (await client.get(started.json()["links"]["self"], headers=an_account.headers)).json()
    assert (ended["status"], ended["total"], ended["written"], ended["percent"]) == ("finished", 2, 2, 100)

    file = await download(client, an_account, ended)
    assert file.text == EXPORTED
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert file.headers["content-disposition"] == f'attachment; filename="contacts-{ended["id"]}.csv"'
    assert ended["file"]["bytes"] == len(file.content)
    assert ended["file"]["sha256"] == hashlib.sha256(file.content).hexdigest()


async def test_a_file_has_the_format_that_is_asked_for(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    await fill(client, an_account, runtime, finish)
    tabs = await export(client, an_account, runtime, finish, delimiter="tab", encoding="UTF-16", gzip=True)
    file = await download(client, an_account, tabs)
    assert gzip.decompress(file.content).decode("utf-16") == EXPORTED.replace(",", "\t")
    assert (file.headers["content-type"], tabs["file"]["name"]) == ("application/gzip", f"contacts-{tabs['id']}.csv.gz")

    lines = await export(client, an_account, runtime, finish, format="jsonl")
    assert (await download(client, an_account, lines)).text == (
        '{"_name": "John", "_email": "john@example.org", "_points": 10}\n'
        '{"_name": "Steve", "_email": "steve@example.org", "_points": 20}\n'
    )


async def test_a_download_can_go_on_where_it_broke_off(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    await fill(client, an_account, runtime, finish)
    ended = await export(client, an_account, runtime, finish)
    whole = await download(client, an_account, ended)
    size, etag = len(whole.content), whole.headers["etag"]

    async def ask(**headers: str) -> tuple[int, str, str | None]:
        part = await download(client, an_account, ended, **headers)
        return part.status_code, part.text, part.headers.get("content-range")

    described = json.loads((DOCUMENTS / "native.json").read_text())["paths"]["/exports/{export_id}/file"]["get"]
    for status, names in {
        "200": {"ETag", "Accept-Ranges"},
        "206": {"ETag", "Content-Range"},
        "416": {"Content-Range"},
    }.items():
        assert names <= described["responses"][status]["headers"].keys()
    assert await ask(Range="bytes=100-") == (206, whole.text[100:], f"bytes 100-{size - 1}/{size}")
    assert await ask(Range="bytes=0-3") == (206, "_ema", f"bytes 0-3/{size}")
    assert await ask(Range="bytes=-4") == (206, ",20\n", f"bytes {size - 4}-{size - 1}/{size}")
    assert await ask(Range=f"bytes=-{9 * size}") == (206, whole.text, f"bytes 0-{size - 1}/{size}")
    assert await ask(Range="bytes=0-3", **{"If-Range": etag}) == (206, "_ema", f"bytes 0-3/{size}")
    assert await ask(Range=f"bytes={size}-") == (416, "", f"bytes */{size}")
    assert await ask(**{"If-None-Match": etag}) == (304, "", None)
    # Another version, several parts, or nothing that can be understood: the whole file.
    for headers in ({"Range": "bytes=0-3", "If-Range": '"old"'}, {"Range": "bytes=0-1,3-4"}, {"Range": "bytes=5-2"}):
        assert await ask(**headers) == (200, whole.text, None)


async def test_a_file_is_made_for_spreadsheets(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    started = (await post(client, an_account, b"_email,_name\na@example.com,=1+1\n")).json()["id"]
    await finish(runtime, started)
    ended = await export(client, an_account, runtime, finish, gzip=True)
    made = await client.get(f"{ended['file']['url']}?spreadsheet=true", headers=an_account.headers)
    assert made.content.startswith(b"\xef\xbb\xbf_email")
    assert "'=1+1" in made.text
    name = ended["file"]["name"].removesuffix(".gz")
    assert made.headers["content-disposition"] == f'attachment; filename="{name}"'

    lines = await export(client, an_account, runtime, finish, format="jsonl")
    refused = await client.get(f"{lines['file']['url']}?spreadsheet=true", headers=an_account.headers)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "spreadsheet")


async def test_an_export_tells_its_filter_and_refuses_one_by_an_import_that_there_is_not(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    imported = (await post(client, an_account)).json()["id"]
    await finish(runtime, imported)
    asked = {"importId": imported, "keys": ["john@example.org"], "updatedSince": "2026-01-01T00:00:00Z"}
    ended = await export(client, an_account, runtime, finish, filter=asked)
    again = await client.post(f"{ended['links']['self']}/rerun", headers=an_account.headers)
    assert (ended["filter"], again.json()["filter"], ended["total"]) == (asked, asked, 1)
    listed = (await client.get("/exports", headers=an_account.headers)).json()["results"]
    assert not any("filter" in each for each in listed)

    unknown = {"type": "contacts", "filter": {"importId": "018bcfe568a1c0ffee012345"}}
    refused = await client.post("/exports", headers=an_account.headers, json=unknown)
    assert refused.status_code == 422
    reason = "`filter.importId` must be the id of an import, and there is none with this id"
    assert refused.json()["errors"] == [{"path": "filter.importId", "reason": reason}]


@pytest.mark.parametrize("name", ["\u200b", "\u2060\u00ad", "\u3164", "\u200d\ufe0f"])
async def test_a_name_of_which_nothing_is_seen_is_refused_wherever_there_are_names(
    client: httpx.AsyncClient, an_account: Account, name: str
) -> None:
    for path, body in {
        "/exports": {"type": "contacts"},
        "/mappings": {"type": "contacts", "columns": [{"column": "A", "field": "_email"}]},
        "/connections": {"transport": "ftp", "host": "ftp.example.com"},
    }.items():
        refused = await client.post(path, headers=an_account.headers, json=body | {"name": name})
        reason = "`name` must have a character that can be seen"
        assert refused.json()["errors"] == [{"path": "name", "reason": reason}], path
    assert (await client.put("/coupon-sets/x", headers=an_account.headers, json={"name": name})).status_code == 422
    assert (await post(client, an_account, parts={"name": name})).status_code == 422


async def test_exports_are_listed_newest_first(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    types = ("contacts", "products", "contacts", "products")
    ids = [(await export(client, an_account, runtime, finish, type=each))["id"] for each in types]
    seen, address = [], "http://sluice.test/exports?limit=3"
    while address:
        page = (await client.get(address, headers=an_account.headers)).json()
        seen += [each["id"] for each in page["results"]]
        address = page["links"].get("next")
    assert seen == ids[::-1]

    products = await client.get("/exports?type=products&status=finished", headers=an_account.headers)
    assert [each["id"] for each in products.json()["results"]] == [ids[3], ids[1]]
    assert (await client.get("/exports?status=queued", headers=an_account.headers)).json()["results"] == []


async def test_of_many_parallel_exports_exactly_five_are_accepted(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    asked = [client.post("/exports", headers=an_account.headers, json={"type": "products"}) for _ in range(20)]
    answers = await asyncio.gather(*asked)
    assert sorted(each.status_code for each in answers) == [201] * 5 + [429] * 15
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.json()["detail"].startswith("5 exports of this account are waiting or running.")
    assert int(refused.headers["retry-after"]) > 0
    assert (await post(client, an_account)).status_code == 201  # imports have room of their own


async def test_an_export_that_has_ended_can_be_deleted_with_its_file(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    before = stored_files(runtime)
    started = (await client.post("/exports", headers=an_account.headers, json={"type": "contacts"})).json()
    own = started["links"]["self"]
    assert (await client.delete(own, headers=an_account.headers)).json()["code"] == "export_not_ended"
    early = await client.get(started["links"]["file"], headers=an_account.headers)
    assert (early.status_code, early.json()["code"]) == (409, "export_not_ended")

    await finish(runtime, started["id"])
    assert len(stored_files(runtime)) == len(before) + 1
    assert (await client.delete(own, headers=an_account.headers)).status_code == 204
    assert stored_files(runtime) == before
    assert (await client.get(own, headers=an_account.headers)).json()["detail"] == "There is no export with this id"


async def test_imports_and_exports_are_not_found_under_each_others_paths(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    started = (await post(client, an_account)).json()["id"]
    await finish(runtime, started)
    exported = (await export(client, an_account, runtime, finish))["id"]
    for path in (
        f"/exports/{started}",
        f"/exports/{started}/file",
        f"/imports/{exported}",
        f"/imports/{exported}/problems",
    ):
        assert (await client.get(path, headers=an_account.headers)).status_code == 404, path
    for path in (f"/exports/{started}", f"/imports/{exported}"):
        assert (await client.delete(path, headers=an_account.headers)).status_code == 404, path
    listed = (await client.get("/imports", headers=an_account.headers)).json()["results"]
    assert [each["id"] for each in listed] == [started]


async def test_what_is_wrong_with_a_request_is_named(client: httpx.AsyncClient, an_account: Account) -> None:
    async def refuse(**body: object) -> list[str]:
        answer = await client.post("/exports", headers=an_account.headers, json=body)
        assert answer.status_code == 422
        return [each["reason"] for each in answer.json()["errors"]]

    assert await refuse() == ["`type` is required"]
    assert await refuse(type="nothing") == ['There is no record type "nothing". Declare it with PUT /types/nothing']
    assert await refuse(type="contacts", delimiter="auto", encoding="klingon", format="xml") == [
        "`format` must be csv or jsonl",
        "`delimiter` must be one of comma, semicolon, tab and pipe",
        (
            "`encoding` must be one of utf-8, utf-16, utf-16-le, utf-16-be, iso-8859-1, iso-8859-15, windows-1250, "
            "windows-1251 or windows-1252"
        ),
    ]


async def test_mistakes_of_mapping_filter_and_destinations_are_named_together(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    wrong = {
        "type": "contacts",
        "mapping": {"columns": [{"column": "A", "field": "nothing"}]},
        "filter": {"fields": ["nothing"], "where": [{"field": "_points", "operator": ">", "value": "many"}]},
        "destinations": [{"connectionId": "con_none", "path": "out/"}],
    }
    refused = await client.post("/exports", headers=an_account.headers, json=wrong)
    assert (refused.status_code, [each["path"] for each in refused.json()["errors"]]) == (
        422,
        [
            "mapping.columns",
            "filter.where[0].value",
            "filter.fields[0]",
            "destinations[0].connectionId",
            "destinations[0].path",
        ],
    )


@pytest.mark.parametrize(
    ("wrong", "path", "reason"),
    [
        ({"type": "contacts\0"}, "type", "must not contain NUL characters"),
        ({"filter": {"keys": ["a", "\0"]}}, "filter.keys", "must not contain NUL characters"),
        ({"filter": {"importId": "\0"}}, "filter.importId", "must not contain NUL characters"),
        (
            {"filter": {"where": [{"field": "_name", "operator": "in", "value": ["a", "\0"]}]}},
            "filter.where[0].value",
            "must not contain NUL characters",
        ),
        (
            {"destinations": [{"connectionId": "con_\0", "path": "a"}]},
            "destinations[0].connectionId",
            "must not contain NUL characters",
        ),
        ({"filter": {"updatedSince": 5}}, "filter.updatedSince", NOT_A_MOMENT),
        ({"filter": {"updatedSince": "5"}}, "filter.updatedSince", NOT_A_MOMENT),
        ({"filter": {"createdSince": "2026-01-01"}}, "filter.createdSince", NOT_A_MOMENT),
        ({"filter": {"createdSince": "0001-01-01T00:00:00+23:59"}}, "filter.createdSince", NOT_IN_UTC),
        ({"filter": {"updatedSince": "9999-12-31T23:59:59-23:59"}}, "filter.updatedSince", NOT_IN_UTC),
        ({"filter": 5}, "filter", "must be a JSON object"),
        ({"size": 5}, "size", "is not a member of this request"),
    ],
)
async def test_what_cannot_be_stored_or_compared_is_refused_at_once(
    client: httpx.AsyncClient, an_account: Account, wrong: dict[str, object], path: str, reason: str
) -> None:
    refused = await client.post("/exports", headers=an_account.headers, json={"type": "contacts", **wrong})
    assert (refused.status_code, refused.json()["errors"]) == (422, [{"path": path, "reason": f"`{path}` {reason}"}])


async def test_exports_need_scopes_of_their_own(client: httpx.AsyncClient, a_key: NewAccount) -> None:
    reader = await a_key(["exports:read", "records:read", "imports:write"])
    body = {"type": "contacts"}
    assert (await client.get("/exports", headers=reader.headers)).status_code == 200
    refused = await client.post("/exports", headers=reader.headers, json=body)
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "The API key does not have the scope `exports:write`",
    )
    writer = await a_key(["exports:write"])
    started = (await client.post("/exports", headers=writer.headers, json=body)).json()
    assert (await client.get(started["links"]["file"], headers=writer.headers)).status_code == 403


async def test_a_template_is_exported_with_only_by_keys_that_may_read_it(
    client: httpx.AsyncClient, a_key: NewAccount, runtime: Runtime, finish: Finish
) -> None:
    reader = await a_key(["exports:read", "exports:write", "mappings:read", "mappings:write"])
    exporter = await a_key(["exports:read", "exports:write"], reader.name)
    columns = [{"column": "Mail", "field": "_email"}]
    template = {"name": "Mails", "type": "contacts", "columns": columns}
    stored = (await client.post("/mappings", headers=reader.headers, json=template)).json()["id"]
    wanted = {"type": "contacts", "mappingId": stored}
    started = await client.post("/exports", headers=reader.headers, json=wanted)
    assert started.status_code == 201, started.text
    await finish(runtime, started.json()["id"])

    again = f"/exports/{started.json()['id']}/rerun"
    for refused in (
        await client.post("/exports", headers=exporter.headers, json=wanted),
        await client.post(again, headers=exporter.headers),
    ):
        assert (refused.status_code, "`mappings:read`" in refused.json()["detail"]) == (403, True), refused.text
    assert (await client.post(again, headers=reader.headers)).status_code == 201
    await client.delete(f"/mappings/{stored}", headers=reader.headers)
    gone = await client.post(again, headers=reader.headers)
    assert (gone.status_code, gone.json()["detail"]) == (
        422,
        "The mapping template of this export does not exist any more, so it cannot run again. Start a new export",
    )
    own = {"type": "contacts", "mapping": {"columns": columns}}
    assert (await client.post("/exports", headers=exporter.headers, json=own)).status_code == 201


async def test_an_export_is_run_again_with_the_records_as_they_are_now(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    await fill(client, an_account, runtime, finish)
    columns = [{"column": "Mail", "field": "_email"}, {"column": "Punkte", "field": "_points"}]
    options = {"delimiter": ";", "gzip": True, "mapping": {"columns": columns}, "name": "Weekly"}
    options["filter"] = {"where": [{"field": "_points", "operator": "<", "value": 20}]}
    first = await export(client, an_account, runtime, finish, **options)
    await finish(runtime, (await post(client, an_account, b"_email,_points\nada@example.org,5\n")).json()["id"])

    path = f"/exports/{first['id']}/rerun"
    started = await client.post(path, headers=an_account.headers)
    assert started.status_code == 201, started.text
    again = started.json()
    assert (again["parentId"], again["relation"], again["name"]) == (first["id"], "rerun", "Weekly")
    same = ("type", "format", "delimiter", "encoding", "gzip", "formulas", "mappingId")
    assert {name: again[name] for name in same} == {name: first[name] for name in same}
    await finish(runtime, again["id"])
    ended = (await client.get(f"/exports/{again['id']}", headers=an_account.headers)).json()
    file = gzip.decompress((await download(client, an_account, ended)).content).decode()
    assert file == "Mail;Punkte\nada@example.org;5\njohn@example.org;10\n"

    assert (await client.delete(f"/exports/{first['id']}", headers=an_account.headers)).status_code == 204
    gone = await client.post(path, headers=an_account.headers, json={})
    assert gone.status_code == 404
    third = await client.post(f"/exports/{again['id']}/rerun/", headers=an_account.headers, json={"name": "Daily"})
    assert (third.json()["parentId"], third.json()["name"]) == (again["id"], "Daily")
    listed = (await client.get("/runs", headers=an_account.headers, params={"parentId": again["id"]})).json()["results"]
    assert [(each["id"], each["kind"]) for each in listed] == [(third.json()["id"], "export")]


async def test_nothing_but_the_name_of_an_export_can_be_changed_when_it_is_run_again(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = (await post(client, an_account)).json()
    first = await export(client, an_account, runtime, finish)
    for path in (f"/exports/{run['id']}/rerun", f"/imports/{first['id']}/rerun"):
        assert (await client.post(path, headers=an_account.headers)).status_code == 404
    for sent in ({"type": "products"}, {"name": " "}, {"gzip": True}):
        refused = await client.post(f"/exports/{first['id']}/rerun", headers=an_account.headers, json=sent)
        assert (refused.status_code, [each["path"] for each in refused.json()["errors"]]) == (422, [*sent])


async def test_a_template_is_read_when_the_export_starts(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    await fill(client, an_account, runtime, finish)
    headers = an_account.headers
    template = {
        "name": "Points",
        "type": "contacts",
        "columns": [{"column": "Mail", "field": "_email"}],
        "options": {"delimiter": ";"},
    }
    stored = (await client.post("/mappings", headers=headers, json=template)).json()["id"]
    body = {"type": "contacts", "mappingId": stored}
    edited, deleted = [(await client.post("/exports", headers=headers, json=body)).json() for _ in range(2)]
    assert (edited["mappingId"], edited["delimiter"]) == (stored, ";")

    template["columns"] = [{"column": "Score", "field": "_points"}, {"column": "E-Mail", "field": "_email"}]
    assert (await client.put(f"/mappings/{stored}", headers=headers, json=template)).status_code == 200
    await finish(runtime, edited["id"])
    exported = (await client.get(edited["links"]["file"], headers=headers)).text
    assert exported == "Score;E-Mail\n10;john@example.org\n20;steve@example.org\n"

    assert (await client.delete(f"/mappings/{stored}", headers=headers)).status_code == 204
    await finish(runtime, deleted["id"])
    ended = (await client.get(deleted["links"]["self"], headers=headers)).json()
    assert (ended["status"], ended["failure"]["code"]) == ("failed", "mapping_missing")
    assert (await client.get(deleted["links"]["file"], headers=headers)).status_code == 404

    for wrong, path in (
        ({"mappingId": "map_none"}, "mappingId"),
        ({"mappingId": "default", "mapping": {"columns": []}}, "mapping"),
        ({"mapping": {"columns": [{"column": "A", "field": "nothing"}]}}, "mapping.columns"),
    ):
        refused = await client.post("/exports", headers=headers, json={"type": "contacts", **wrong})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, path), refused.text
