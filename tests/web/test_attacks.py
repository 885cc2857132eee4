"""Attacks on the HTTP surface that once got through: odd targets, broken requests, long names, foreign files."""

import json
import stat
from pathlib import Path

import httpx
import pytest
from fastapi import Request

from app.runtime import Runtime
from app.storage.blobs import FileBlobs
from app.surfaces import SURFACES
from app.web.failures import Failure
from tests.conftest import Finish
from tests.support.http import Account, post

TYPE = {
    "key": "sku",
    "fields": [
        {"id": "sku", "type": "text"},
        {"id": "n", "type": "integer", "max": 5},
        {"id": "l", "type": "list"},
        {"id": "o", "type": "object"},
    ],
}


async def failed_rows_of(
    client: httpx.AsyncClient, runtime: Runtime, account: Account, finish: Finish, answer: httpx.Response
) -> bytes:
    run = answer.json()
    await finish(runtime, run["id"])
    return (await client.get(run["links"]["failedRows"], headers=account.headers)).content


async def test_corrected_failed_rows_of_json_lines_store_what_was_sent(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    await client.put("/types/parcels", headers=an_account.headers, json=TYPE)
    whole = {"sku": "full", "n": 9, "l": ["a", "b"], "o": {"x": [1, True, None]}}
    empty = {"sku": "none", "n": 9, "l": [], "o": {}}
    file = "".join(json.dumps(each) + "\n" for each in (whole, empty)).encode()
    answer = await post(client, an_account, file, name="x.jsonl", parts={"type": "parcels"})
    failed = await failed_rows_of(client, runtime, an_account, finish, answer)

    again = await post(client, an_account, failed.replace(b",9,", b",2,"), parts={"type": "parcels"})
    await finish(runtime, again.json()["id"])
    ended = (await client.get(again.json()["links"]["self"], headers=an_account.headers)).json()
    assert (ended["success"], ended["errors"]) == (2, 0)
    for sent in (whole, empty):
        stored = await client.get(f"/records/parcels/{sent['sku']}", headers=an_account.headers)
        # An empty cell keeps a field absent, which is as near to an empty list as CSV comes.
        assert {name: value for name, value in stored.json()["data"].items() if value not in ([], None)} == {
            name: value for name, value in (sent | {"n": 2}).items() if value != []
        }


async def test_a_ragged_row_is_never_stored_cut_by_way_of_the_failed_rows(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    file = b"_email,_name,_surname\nlong@example.org,Smith, John,Doe\nshort@example.org,Ann\n"
    failed = await failed_rows_of(client, runtime, an_account, finish, await post(client, an_account, file))

    again = await post(client, an_account, failed)
    await finish(runtime, again.json()["id"])
    ended = (await client.get(again.json()["links"]["self"], headers=an_account.headers)).json()
    assert (ended["success"], ended["errors"]) == (0, 2)


async def test_what_was_read_of_a_built_in_type_can_be_sent_back(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    headers = an_account.headers
    await client.put("/types/contacts", headers=headers, json={"fields": [{"id": "shoe", "type": "integer"}]})
    read = (await client.get("/types/contacts", headers=headers)).json()
    assert (await client.put("/types/contacts", headers=headers, json=read)).status_code == 200


@pytest.mark.parametrize("cursor", ["2147483648.0", "99999999999.0"])
async def test_a_cursor_beyond_every_batch_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, cursor: str
) -> None:
    run = (await post(client, an_account)).json()
    await finish(runtime, run["id"])
    answer = await client.get(f"/imports/{run['id']}/problems", params={"cursor": cursor}, headers=an_account.headers)
    assert answer.status_code in (200, 422)


def test_a_path_without_a_slash_has_a_surface_too() -> None:
    """`OPTIONS *`, as load balancers send it."""
    request = Request({"type": "http", "method": "OPTIONS", "path": "*", "headers": [], "query_string": b""})
    assert SURFACES.render(Failure("not_found", "Nothing exists at this path"), request).status_code == 404


async def test_a_heading_is_no_longer_than_a_cell_may_be(client: httpx.AsyncClient, an_account: Account) -> None:
    file = b"_email," + b"x" * 200_000 + b"\njohn@example.org,1\n"
    assert (await post(client, an_account, file)).status_code == 422


def test_uploads_are_nobody_else_s_to_read(tmp_path: Path) -> None:
    """The folder above may be open to all: with servers under another account `sluice up` makes it 0711."""
    data = tmp_path / "data"
    data.mkdir(mode=0o711)
    store = FileBlobs(data / "blobs")
    writer = store.create()
    writer.write(b"_email\njohn@example.org\n")
    name = writer.commit()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (store.root, store.path(name))]
    assert any(mode & 0o077 == 0 for mode in modes), [oct(mode) for mode in modes]
