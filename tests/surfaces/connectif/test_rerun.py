"""An import is run again with its file as it is now: same type, mapping and options, whatever came of the first."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post, stored_files

FIRST = b"_email;_name;_points;note\nana@example.com;Ana;1;a\nbob@example.com;;2;b\n"
AGAIN = b"note;_points;_name;_email\nx;5;;ana@example.com\ny;6;Cid;cid@example.com\n"
OPTIONS = {"delimiter": ";", "blankCells": "clear", "name": "Weekly", "unknownColumns": "ignore"}


async def rerun(
    client: httpx.AsyncClient, account: Account, import_id: str, file: bytes | None = AGAIN, **more: Any
) -> httpx.Response:
    files = {} if file is None else {"files": {"file": ("again.csv", file, "text/csv")}}
    return await client.post(f"/imports/{import_id}/rerun", headers=account.headers, **files, **more)


async def why(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {each["path"]: each["reason"] for each in answer.json()["errors"]}


@pytest.fixture
async def first(client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish) -> dict[str, Any]:
    """An import that has ended."""
    run: dict[str, Any] = (await post(client, an_account, FIRST, parts=OPTIONS)).json()
    await finish(runtime, run["id"])
    return run


async def test_an_import_is_run_again_with_its_options_and_the_new_file(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish, first: dict[str, Any]
) -> None:
    answer = await rerun(client, an_account, first["id"])

    assert answer.status_code == 201, answer.text
    again = answer.json()
    assert (again["parentId"], again["relation"], again["name"]) == (first["id"], "rerun", "Weekly")
    assert (again["type"], again["options"], again["fileName"]) == ("contacts", first["options"], "again.csv")
    await finish(runtime, again["id"])
    ended = (await client.get(f"/imports/{again['id']}", headers=an_account.headers)).json()
    assert (ended["updated"], ended["created"], ended["errors"]) == (1, 1, 0)
    ana = (await client.get("/records/contacts/ana@example.com", headers=an_account.headers)).json()["data"]
    assert (ana["_points"], ana["_name"]) == (5, None)  # blankCells: clear
    listed = await client.get("/runs", headers=an_account.headers, params={"parentId": first["id"]})
    assert [(each["id"], each["relation"]) for each in listed.json()["results"]] == [(again["id"], "rerun")]


async def test_a_rerun_is_run_again_and_outlives_what_it_came_from(
    client: httpx.AsyncClient, an_account: Account, first: dict[str, Any]
) -> None:
    second = (await rerun(client, an_account, first["id"], data={"name": "Daily"})).json()
    assert (await client.delete(f"/imports/{first['id']}", headers=an_account.headers)).status_code == 204

    shown = (await client.get(f"/imports/{second['id']}", headers=an_account.headers)).json()
    assert ("parentId" in shown, shown["relation"], shown["name"]) == (False, "rerun", "Daily")
    third = (await rerun(client, an_account, second["id"])).json()
    assert (third["parentId"], third["options"], third["name"]) == (second["id"], first["options"], "Daily")
    assert (await rerun(client, an_account, first["id"])).status_code == 404


async def test_a_header_that_differs_is_refused_with_what_is_new_and_what_is_missing(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, first: dict[str, Any]
) -> None:
    before = stored_files(runtime)
    answer = await rerun(client, an_account, first["id"], b"_email;_name;score;note;when\na@b.com;A;1;x;y\n")

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(
        "The file lacks `_points`, which the earlier file had, and has `score`, `when`, which the earlier file did not "
        "have. Restore its columns, or start a new import"
    )
    assert stored_files(runtime) == before


@pytest.mark.parametrize(
    ("header", "fits"),
    [
        (b"_email;_name;_points;note;_surname", True),  # what the mapping knows may come in addition
        (b"_email;_name;_points", True),  # what filled no field may be missing
        (b"_email;_name;_points;note;_line;_codes;_messages", True),  # corrected failed rows
        (b" _email ;_name;_points;Note", True),
        (b"_email;_name;_points;note;;", True),
        (b"_email;_name", False),
        (b"_email;_name;_points;note;more", False),
    ],
)
async def test_what_the_mapping_does_not_care_for_is_no_difference(
    client: httpx.AsyncClient, an_account: Account, first: dict[str, Any], header: bytes, fits: bool
) -> None:
    answer = await rerun(client, an_account, first["id"], header + b"\n")
    assert answer.status_code == (201 if fits else 422), answer.text


async def test_the_encoding_of_the_first_file_is_that_of_the_next_unless_it_is_utf_8(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    parts = OPTIONS | {"encoding": "windows-1252"}
    first = (await post(client, an_account, "_email;_name\na@example.com;Zoë\n".encode("cp1252"), parts=parts)).json()
    for encoding in ("cp1252", "utf-8", "utf-16"):
        name = f"Åse {encoding}"
        again = await rerun(client, an_account, first["id"], f"_email;_name\nb@example.com;{name}\n".encode(encoding))
        assert again.status_code == 201, again.text
        await finish(runtime, again.json()["id"])
        stored = await client.get("/records/contacts/b@example.com", headers=an_account.headers)
        assert stored.json()["data"]["_name"] == name


async def test_nothing_is_advised_that_a_rerun_cannot_be_sent(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    parts = {"delimiter": ";", "unknownColumns": "keep"}
    first = (await post(client, an_account, "_email;Größe\na@example.com;1\n".encode(), parts=parts)).json()
    await finish(runtime, first["id"])

    told = await why(await rerun(client, an_account, first["id"], "_email;Größe\nb@example.com;2\n".encode("cp1252")))
    advice = "Save the file as UTF-8, or start a new import with its encoding"
    assert told["encoding"] == f"The header is not UTF-8. {advice}"
    told = await why(await rerun(client, an_account, first["id"], "_email,Größe\nb@example.com,2\n".encode()))
    assert told["delimiter"].endswith("was read as separated by semicolons. Separate it by semicolons")


@pytest.mark.parametrize("with_header", [True, False])
async def test_the_mapping_of_the_first_is_that_of_the_next(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish, *, with_header: bool
) -> None:
    found = [{"column": "Mail"}, {"column": "Punkte"}, {"column": "Notiz"}]
    if not with_header:
        found = [{"position": number} for number in range(3)]  # type: ignore[misc]
    fills = [{"field": "_email"}, {"field": "_points", "values": {"viele": "100"}}, {"ignore": True}]
    mapping = {"hasHeader": with_header, "columns": [a | b for a, b in zip(found, fills, strict=True)]}
    header = b"Mail;Punkte;Notiz\n" if with_header else b""
    parts = OPTIONS | {"mapping": json.dumps(mapping)}
    started = await post(client, an_account, header + b"a@example.com;1;x\n", parts=parts)
    assert started.status_code == 201, started.text
    first = started.json()

    again = await rerun(client, an_account, first["id"], header + b"a@example.com;viele;y\n")
    assert again.status_code == 201, again.text
    assert (again.json()["mapping"], again.json()["options"]) == (first["mapping"], first["options"])
    await finish(runtime, again.json()["id"])
    stored = await client.get("/records/contacts/a@example.com", headers=an_account.headers)
    assert stored.json()["data"] == {"_email": "a@example.com", "_points": 100}

    wider = await rerun(client, an_account, first["id"], b"Mail;Punkte;Notiz;Neu\na@example.com;1;x;y\n")
    assert (wider.status_code, "has `Neu`" in wider.text or "has `Column 4`" in wider.text) == (422, True)
    narrow = await rerun(client, an_account, first["id"], b"Mail;Notiz\na@example.com;x\n")
    assert narrow.status_code == (422 if with_header else 201), narrow.text


async def test_a_template_that_is_edited_or_deleted_changes_no_rerun(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    columns = [{"column": "Mail", "field": "_email"}, {"column": "Wert", "field": "_points"}]
    template = {"name": "Points", "type": "contacts", "columns": columns, "options": {"delimiter": ";"}}
    made = (await client.post("/mappings", headers=an_account.headers, json=template)).json()
    parts = OPTIONS | {"mappingId": made["id"]}
    first = (await post(client, an_account, b"Mail;Wert\na@example.com;1\n", parts=parts)).json()
    edited = template | {"columns": [columns[0], {"column": "Wert", "field": "_name"}]}
    path = f"/mappings/{made['id']}"
    assert (await client.put(path, headers=an_account.headers, json=edited)).status_code == 200
    for points in (2, 3):
        again = await rerun(client, an_account, first["id"], f"Mail;Wert\na@example.com;{points}\n".encode())
        assert again.json()["mapping"] == first["mapping"] == {"id": made["id"], "name": "Points"}
        await finish(runtime, again.json()["id"])
        stored = await client.get("/records/contacts/a@example.com", headers=an_account.headers)
        assert stored.json()["data"] == {"_email": "a@example.com", "_points": points}
        assert (await client.delete(path, headers=an_account.headers)).status_code in (204, 404)


async def test_an_import_that_is_deleted_while_its_new_file_arrives_is_not_run_again(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, first: dict[str, Any]
) -> None:
    before = stored_files(runtime)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'

    async def body() -> AsyncIterator[bytes]:
        yield head
        gone = await client.delete(f"/imports/{first['id']}", headers=an_account.headers)
        assert gone.status_code == 204
        yield AGAIN + b"\r\n--x--\r\n"

    headers = an_account.headers | {"content-type": "multipart/form-data; boundary=x"}
    answer = await client.post(f"/imports/{first['id']}/rerun", headers=headers, content=body())
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "The import that was to run again has been deleted meanwhile",
    )
    assert stored_files(runtime) < before
    assert (await client.get("/runs", headers=an_account.headers)).json()["results"] == []


async def test_an_import_that_release_0_1_accepted_is_run_again(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish, first: dict[str, Any]
) -> None:
    async with runtime.database.transaction() as session:
        since = "UPDATE runs SET plan = plan - ARRAY['read', 'mapping', 'ignored'] WHERE id = :id"
        await session.execute(text(since), {"id": first["id"]})
    again = (await rerun(client, an_account, first["id"])).json()
    await finish(runtime, again["id"])
    ended = (await client.get(f"/imports/{again['id']}", headers=an_account.headers)).json()
    assert (ended["updated"], ended["created"], ended["options"]) == (1, 1, first["options"])
    assert (await rerun(client, an_account, first["id"], b"_email;_name;score\n")).status_code == 422


async def test_a_rerun_of_an_upload_needs_the_file_and_nothing_else(
    client: httpx.AsyncClient, an_account: Account, first: dict[str, Any]
) -> None:
    required = "`file` is required: this import was sent a file, so send it as it is now, as multipart/form-data"
    path = f"/imports/{first['id']}/rerun"
    for sent in ({}, {"json": {}}, {"json": {"name": None}}, {"data": {}, "files": {"name": (None, "x")}}):
        assert await why(await client.post(path, headers=an_account.headers, **sent)) == {"file": required}  # type: ignore[arg-type]
    told = await why(await rerun(client, an_account, first["id"], data={"type": "products", "name": "\n"}))
    assert set(told) == {"type", "name"}
    assert told["type"].startswith("`type` is not a part of a rerun")
    both = await why(await rerun(client, an_account, first["id"], data={"source": "{}"}))
    assert "so its rerun takes no `source`" in both["source"]
    plain = await client.post(path, headers=an_account.headers | {"content-type": "text/csv"}, content=AGAIN)
    assert plain.status_code == 415
    wrong = await client.post(path + "/", headers=an_account.headers, json={"name": 5})
    assert (await why(wrong))["name"] == "`name` must be a string"


async def test_what_cannot_be_run_again_says_so(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, first: dict[str, Any]
) -> None:
    customers = await client.post("/v1/customers/bulk/async", headers=an_account.headers, json=[{"source_id": "c1"}])
    listed = await why(await rerun(client, an_account, customers.json()["async_action_id"]))
    assert listed[""].startswith("This import was made of a list in JSON")
    async with runtime.database.transaction() as session:
        await session.execute(text("UPDATE runs SET pruned_at = now() WHERE id = :id"), {"id": first["id"]})
    assert (await rerun(client, an_account, first["id"])).status_code == 410
    assert (await rerun(client, an_account, "018bcfe568a1c0ffee012345")).status_code == 404


async def test_a_file_of_another_surface_is_read_again_by_its_rules(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    customers = b"SOURCE_ID,Name,Address_City\nc1,Ana,Bonn\n", b"Source_id,Name,Address_City\nc1,,Cork\n"
    items = b"productID,productName\np1,Stapler\n", b"productID,productName\np1,Punch\n"
    for path, parts, (before, after) in (
        ("/v1/customers/importCSV", {}, customers),
        ("/v2/productimports", {"hasHeader": "true"}, items),
    ):
        files = {"file": ("a.csv", before)}
        assert (await client.post(path, headers=an_account.headers, data=parts, files=files)).is_success
        parent = (await client.get("/runs?limit=1", headers=an_account.headers)).json()["results"][0]
        await finish(runtime, parent["id"])
        again = await rerun(client, an_account, parent["id"], after)
        assert again.status_code == 201, again.text
        await finish(runtime, again.json()["id"])
        run = (await client.get(f"/runs/{again.json()['id']}", headers=an_account.headers)).json()
        assert (run["origin"], run["updated"]) == (parent["origin"], 1)
    stored = (await client.get("/v1/customers", headers=an_account.headers)).json()["customers"]
    assert [("name" in each, each["address"]["city"]) for each in stored] == [(False, "Cork")]
    actions = (await client.get("/v1/async-actions", headers=an_account.headers)).json()["async_actions"]
    assert len(actions) == 2  # the vendor lists both


async def test_a_type_that_has_changed_counts_as_it_is_now(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    fields = [{"id": "sku", "type": "text"}, {"id": "stock", "type": "text"}]
    for declared in (fields, [fields[0], {"id": "stock", "type": "integer"}]):
        answer = await client.put("/types/own", headers=an_account.headers, json={"key": "sku", "fields": declared})
        assert answer.is_success, answer.text
        if declared is fields:
            first = (await post(client, an_account, b"sku,stock\na,1\n", parts={"type": "own"})).json()
            await finish(runtime, first["id"])
            await client.delete(f"/imports/{first['id']}/", headers=an_account.headers)
            first = (await post(client, an_account, b"sku,stock\n", parts={"type": "own"})).json()
            await finish(runtime, first["id"])
            await remove_records(runtime, an_account)
    again = (await rerun(client, an_account, first["id"], b"sku,stock\na,many\nb,2\n")).json()
    await finish(runtime, again["id"])
    ended = (await client.get(f"/imports/{again['id']}", headers=an_account.headers)).json()
    assert (ended["created"], ended["errors"]) == (1, 1)


async def remove_records(runtime: Runtime, account: Account) -> None:
    async with runtime.database.transaction() as session:
        await session.execute(text("DELETE FROM records WHERE account_id = :id"), {"id": account.id})


async def test_a_rerun_takes_a_place_in_the_queue_as_any_import_does(
    client: httpx.AsyncClient, an_account: Account, first: dict[str, Any]
) -> None:
    while (answer := await rerun(client, an_account, first["id"])).status_code == 201:
        pass
    assert (answer.status_code, answer.json()["code"]) == (400, "E0401")
