"""GET /mappings/{id}/sample.csv: a file that imports with its template, whatever that converts."""

from typing import Any, Final

import httpx
import pytest

from app.resources.registry import BUILT_IN
from app.resources.schema import Field
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account

SPELLED: Final[dict[str, dict[str, Any]]] = {
    "decimal": {"decimalComma": True},
    "date": {"dateFormat": "DD.MM.YYYY"},
    "datetime": {"dateFormat": "D/M/YYYY HH:mm"},
    "boolean": {"values": {"J": "true", "N": "false"}},
    "list": {"separator": "; "},
    "enum": {"trim": True},
}


def spell(field: Field) -> dict[str, Any]:
    return {"field": field.id, **SPELLED.get(field.type, {})}


def list_fields(type: str) -> list[Field]:
    resource = BUILT_IN[type]
    return [field for field in resource.fields if not field.read_only and field.id != resource.made_field]


async def sampled(client: httpx.AsyncClient, account: Account, **template: Any) -> tuple[str, bytes]:
    """The id of a new template, and its sample."""
    made = await client.post("/mappings", headers=account.headers, json={"name": "Sampled", **template})
    assert made.status_code == 201, made.text
    answer = await client.get(f"/mappings/{made.json()['id']}/sample.csv", headers=account.headers)
    assert answer.status_code == 200, answer.text
    return str(made.json()["id"]), answer.content


async def imported(
    client: httpx.AsyncClient, account: Account, file: bytes, parts: dict[str, str], runtime: Runtime, finish: Finish
) -> Any:
    files = {"file": ("sample.csv", file, "text/csv")}
    if parts["type"] == "coupons":
        await client.put("/coupon-sets/samples", headers=account.headers, json={})
        parts = parts | {"couponSetId": "samples"}
    started = await client.post("/imports", headers=account.headers, data=parts, files=files)
    assert started.status_code == 201, started.text
    await finish(runtime, started.json()["id"])
    return (await client.get(f"/imports/{started.json()['id']}", headers=account.headers)).json()


@pytest.mark.parametrize("type", BUILT_IN)
@pytest.mark.parametrize("has_header", [True, False], ids=["header", "no header"])
async def test_a_sample_imports_with_its_template_without_a_problem(
    type: str, has_header: bool, client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    columns = [
        ({"column": f"The {field.id}"} if has_header else {"position": index and index + 1}) | spell(field)
        for index, field in enumerate(list_fields(type))
    ]
    ignored = {"ignore": True} | ({"column": "Note"} if has_header else {"position": 1})
    options = {"delimiter": ";", "encoding": "windows-1252"}
    template, sample = await sampled(
        client, an_account, type=type, columns=[*columns, ignored], hasHeader=has_header, options=options
    )
    done = await imported(client, an_account, sample, {"type": type, "mappingId": template}, runtime, finish)
    assert (done["total"], done["errors"], done["errorSummary"], done["warnings"]) == (3, 0, [], [])
    assert done["created"] == 3


@pytest.mark.parametrize("type", BUILT_IN)
async def test_the_sample_of_a_type_imports_with_the_default_template(
    type: str, client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    sample = (await client.get(f"/types/{type}/sample.csv", headers=an_account.headers)).content
    done = await imported(client, an_account, sample, {"type": type, "mappingId": "default"}, runtime, finish)
    assert (done["created"], done["errorSummary"], done["warnings"]) == (3, [], [])


async def test_cells_are_spelled_as_the_template_reads_them(client: httpx.AsyncClient, an_account: Account) -> None:
    columns = [
        {"column": "Nr.", "field": "productId", "case": "lower"},
        {"column": "Preis", "field": "unitPrice", "decimalComma": True},
        {"column": "Ab", "field": "publishedAt", "dateFormat": "DD.MM.YYYY"},
        {"column": "Gesperrt", "field": "isBlacklisted", "values": {"N": "false"}},
        {"column": "Tags", "field": "tags", "separator": ","},
    ]
    _, sample = await sampled(client, an_account, type="products", columns=columns, options={"delimiter": ";"})
    assert sample.decode().splitlines()[:2] == [
        "Nr.;Preis;Ab;Gesperrt;Tags",
        "SKU-1001;49,90;01.05.2024;N;wireless,new",
    ]


async def test_a_cell_that_cannot_be_spelled_or_encoded_is_left_empty(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    columns = [
        {"column": "Mail", "field": "_email"},
        {"column": "Name", "field": "_name"},
        {"column": "Status", "field": "_emailStatus", "case": "upper"},
    ]
    _, sample = await sampled(
        client, an_account, type="contacts", columns=columns, options={"encoding": "windows-1251"}
    )
    last = sample.decode("windows-1251").splitlines()[-1]
    assert last == "chloe.martin@example.org,,"


async def test_a_template_that_does_not_fit_its_type_any_more_has_no_sample(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    fields = [{"id": "sku", "type": "text"}, {"id": "colour", "type": "text"}]
    await client.put("/types/things", headers=an_account.headers, json={"key": "sku", "fields": fields})
    columns = [{"column": "A", "field": "sku"}, {"column": "B", "field": "colour"}]
    template, _ = await sampled(client, an_account, type="things", columns=columns)
    await client.put("/types/things", headers=an_account.headers, json={"key": "sku", "fields": fields[:1]})
    answer = await client.get(f"/mappings/{template}/sample.csv", headers=an_account.headers)
    assert answer.status_code == 422
    assert "`colour`" in answer.json()["detail"]
