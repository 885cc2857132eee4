"""Files of every kind whose failed rows are corrected and retried: as they were sent, and with odd values."""

import gzip
import json
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post

TYPE = {
    "key": "sku",
    "fields": [
        {"id": "sku", "type": "text"},
        {"id": "state", "type": "enum", "options": ["new", "old"]},
        {"id": "price", "type": "decimal"},
    ],
}
# Blanks, quotes, line breaks and invisible characters; the third is longer than a report shows.
ODD = ["  x ", 'say "x"', "long " * 200, "a\nb", "a,b;c", "\ufeffx", "'x", "=1+1"]
GOOD = ["new", "old"]


def write_csv(rows: list[list[str]], delimiter: str = ",") -> str:
    return "".join(delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in rows)


ROWS = [[f"k{number}", state, "1"] for number, state in enumerate([*ODD, *GOOD])]
HEADER = ["sku", "state", "price"]
PLACES = {"hasHeader": False, "columns": [{"position": at, "field": name} for at, name in enumerate(HEADER)]}
OBJECTS = "".join(json.dumps(dict(zip(HEADER, row, strict=True))) + "\n" for row in ROWS)
TEXT = write_csv([HEADER, *ROWS])
# What is sent, and with which parts.
FILES: dict[str, tuple[bytes, dict[str, str]]] = {
    "plain": (TEXT.encode(), {}),
    "utf-16": (TEXT.encode("utf-16"), {"encoding": "utf-16"}),
    "gzip": (gzip.compress(TEXT.encode(), mtime=0), {}),
    "json lines": (OBJECTS.encode(), {"format": "jsonl"}),
    "without a header": (write_csv(ROWS).encode(), {"mapping": json.dumps(PLACES)}),
    "semicolons": (write_csv([HEADER, *ROWS], ";").encode(), {"delimiter": "semicolon"}),
    "replacement": (TEXT.encode(), {"replace": "true"}),
}


@pytest.mark.parametrize("kind", FILES)
async def test_bad_values_are_corrected_as_they_are_listed_and_the_rest_is_retried(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish, kind: str
) -> None:
    async def ended(answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 201, answer.text
        await finish(runtime, answer.json()["id"])
        run = await client.get(f"/imports/{answer.json()['id']}", headers=an_account.headers)
        return dict(run.json())

    await client.put("/types/odd", headers=an_account.headers, json=TYPE)
    file, parts = FILES[kind]
    first = await ended(await post(client, an_account, file, name="odd.csv", parts={"type": "odd"} | parts))
    assert (first["total"], first["errors"]) == (len(ROWS), len(ODD)), first["errorSummary"]
    address = f"/imports/{first['id']}"
    listed = (await client.get(f"{address}/failed-values", headers=an_account.headers)).json()["results"]
    assert len(listed) == len(ODD)

    column = listed[0]["column"]
    changes = [{"column": column, "from": each["value"], "to": "old"} for each in listed[:-1]]
    corrected = await ended(
        await client.post(f"{address}/corrections", headers=an_account.headers, json={"corrections": changes})
    )
    assert (corrected["total"], corrected["created"]) == (len(ODD) - 1, len(ODD) - 1), corrected["errorSummary"]
    wider = {**TYPE, "fields": [{"id": name, "type": "text"} for name in HEADER]}
    await client.put("/types/odd?force=true", headers=an_account.headers, json=wider)
    retried = await ended(await client.post(f"{address}/retry", headers=an_account.headers))
    assert retried["total"] == 1
    assert retried["family"]["total"] == len(ROWS)
    assert retried["family"]["failed"] == retried["errors"]
    found = await client.get("/records/odd?limit=100", headers=an_account.headers)
    assert len(found.json()["results"]) == len(ROWS) - retried["errors"]
