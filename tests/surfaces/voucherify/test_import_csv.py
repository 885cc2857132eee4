"""CSV files of customers: which column fills which field, who is updated or created, and what is refused."""

import re
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.support.http import stored_files
from tests.surfaces.voucherify.conftest import Voucherify

FULL = (
    "Id,Name,Email,Phone,Birthdate,Source_id,Address_line_1,Address_line_2,Address_Postal_Code,Address_City,"
    "Address_State,Address_Country,Description,Metadata_name_1,Lang\n"
    ",Ana,ana@example.com,+34 651-234-567,1984-05-06,s-1,Mayor 1,2º,28013,Madrid,MD,Spain,VIP,one,es\n"
)


async def test_every_documented_column_fills_its_field(voucherify: Voucherify) -> None:
    action = await voucherify.imported(FULL)

    assert action["result"] == {
        "message": "1 customer(s) imported successfully, 0 failed.",
        "failed": [],
        "done_count": 1,
        "failed_count": 0,
    }
    assert await voucherify.own("s-1") == {
        "source_id": "s-1",
        "name": "Ana",
        "description": "VIP",
        "email": "ana@example.com",
        "phone": "+34 651-234-567",
        "birthdate": "1984-05-06",
        "birthday": "1984-05-06",
        "address": {
            "city": "Madrid",
            "state": "MD",
            "line_1": "Mayor 1",
            "line_2": "2º",
            "country": "Spain",
            "postal_code": "28013",
        },
        "metadata": {"Metadata_name_1": "one", "Lang": "es"},
    }


@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title, lambda heading: f" {heading} "])
async def test_standard_columns_are_known_in_any_case_and_metadata_keeps_its_own(
    voucherify: Voucherify, spell: Any
) -> None:
    header, row = FULL.removesuffix("\n").split("\n")
    columns = [spell(each) for each in header.split(",")[:-2]]
    await voucherify.imported("\n".join([",".join([*columns, "MyKey", "my key"]), row]))

    found = await voucherify.own("s-1")
    assert found["metadata"] == {"MyKey": "one", "my key": "es"}
    assert (found["name"], found["address"]["line_1"], found["birthdate"]) == ("Ana", "Mayor 1", "1984-05-06")


@pytest.mark.parametrize("prefix", ["", "Address_", "address_"])
async def test_an_address_is_known_with_and_without_its_prefix(voucherify: Voucherify, prefix: str) -> None:
    columns = [f"{prefix}{each}" for each in ("City", "State", "Postal_Code", "Country")]
    await voucherify.imported(f"source_id,{','.join(columns)}\nx,Bonn,NW,53111,Germany\n")

    address = (await voucherify.own("x"))["address"]
    assert address == {"city": "Bonn", "state": "NW", "postal_code": "53111", "country": "Germany"}


async def test_a_known_source_id_gets_the_columns_sent_and_an_empty_cell_clears(voucherify: Voucherify) -> None:
    await voucherify.imported("source_id,name,email,City,lang,tier\nx,Ana,ana@example.com,Bonn,es,gold\n")
    before = await voucherify.customer("x")
    assert "updated_at" not in before

    await voucherify.imported("source_id,name,Country,lang,new\nx,,Germany,,1\n")

    after = await voucherify.customer("x")
    assert after["id"] == before["id"]
    assert after["created_at"] == before["created_at"]
    assert after["updated_at"] > before["created_at"]
    assert "name" not in after
    assert after["email"] == "ana@example.com"
    assert after["address"] == {"city": "Bonn", "country": "Germany"}
    assert after["metadata"] == {"lang": None, "tier": "gold", "new": "1"}


async def test_the_same_file_again_changes_nothing(voucherify: Voucherify) -> None:
    await voucherify.imported(FULL)
    before = await voucherify.customer("s-1")
    action = await voucherify.imported(FULL)
    assert action["result"]["done_count"] == 1
    assert await voucherify.customer("s-1") == before


async def test_rows_without_an_id_create_customers(voucherify: Voucherify) -> None:
    action = await voucherify.imported("Source_id,Name\n,Ana\n ,Ana\nx,Bob\n")

    assert action["result"]["done_count"] == 3
    listed = (await voucherify.get("/v1/customers")).json()["customers"]
    assert [each.get("source_id") for each in listed] == ["x", None, None]
    assert len({each["id"] for each in listed}) == 3
    assert all(re.fullmatch(r"cust_[0-9a-z]{24}", each["id"]) for each in listed)


async def test_a_file_without_source_ids_makes_customers(voucherify: Voucherify) -> None:
    action = await voucherify.imported("Name,Lang\nAna,es\nBob,en\n")
    assert action["result"]["done_count"] == 2
    assert (await voucherify.get("/v1/customers")).json()["total"] == 2


async def test_an_id_names_a_customer_who_is_there(voucherify: Voucherify) -> None:
    await voucherify.imported("source_id,name\nx,Ana\n,Bob\n")
    bob, ana = (await voucherify.get("/v1/customers")).json()["customers"]

    action = await voucherify.imported(
        f"Id,Source_id,Name\n{ana['id']},,Anna\n{bob['id']},,Rob\ncust_000000000000000000000000,y,Eve\n,z,Zoe\n"
    )

    assert action["result"]["done_count"] == 3
    assert action["result"]["failed"] == [{"source_id": "y", "row": 3, "reason": "There is no record with this id"}]
    assert (await voucherify.own("x")) == {"source_id": "x", "name": "Anna", "address": None}
    assert (await voucherify.own(bob["id"])) == {"name": "Rob", "address": None}
    assert (await voucherify.get("/v1/customers/y")).status_code == 404


async def test_an_id_takes_precedence_over_a_source_id_which_never_changes(voucherify: Voucherify) -> None:
    await voucherify.imported("source_id,name\nx,Ana\n,Bob\n")
    bob, ana = (await voucherify.get("/v1/customers")).json()["customers"]

    action = await voucherify.imported(
        f"Id,Source_id,Name\n{ana['id']},x,Anna\n{ana['id']},w,No\n{bob['id']},v,No\n{bob['id']},,Rob\n"
    )

    assert [(each["row"], each["source_id"]) for each in action["result"]["failed"]] == [(2, "w"), (3, "v")]
    assert {each["reason"] for each in action["result"]["failed"]} == {
        "The record already exists with a different `source_id`"
    }
    assert (await voucherify.own("x"))["name"] == "Anna"
    assert (await voucherify.own(bob["id"]))["name"] == "Rob"


async def test_a_source_id_may_look_like_an_id(voucherify: Voucherify) -> None:
    await voucherify.imported("name\nAna\n")
    [ana] = (await voucherify.get("/v1/customers")).json()["customers"]
    await voucherify.imported(f"source_id,name\n{ana['id']},Eve\n")

    assert (await voucherify.get("/v1/customers")).json()["total"] == 2
    assert (await voucherify.own(ana["id"]))["name"] == "Ana"


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("Phone", "12-34", "Invalid phone format"),
        ("Email", "nobody", "Email: The value is not a valid e-mail address"),
        (
            "Birthdate",
            "21-06-1995",
            (
                "Birthdate: The value looks like a date, but its order or separators are not read. "
                "Write it like 2026-01-31"
            ),
        ),
        ("Birthdate", "soon", "Birthdate: The value is not a date: dates must look like 2026-01-31"),
        ("Source_id", "x" * 256, "The key has 256 characters, but at most 255 are allowed"),
    ],
)
async def test_a_bad_cell_fails_its_row_alone(voucherify: Voucherify, column: str, cell: str, reason: str) -> None:
    other = "Name" if column == "Source_id" else "Source_id"
    action = await voucherify.imported(f"{column},{other}\n,good\n{cell},bad\n")

    assert action["status"] == "DONE"
    assert action["operation_status"] == "SUCCESS"
    source = f"{cell[:199]}…" if column == "Source_id" else "bad"
    assert action["result"] == {
        "message": "1 customer(s) imported successfully, 1 failed.",
        "failed": [{"source_id": source, "row": 2, "reason": reason}],
        "done_count": 1,
        "failed_count": 1,
    }


@pytest.mark.parametrize("cell", ["2022-03-11", "2022-03-11T09:00:00.000Z", "2022-03-11T23:30:00-05:00"])
async def test_a_birthdate_may_carry_a_time(voucherify: Voucherify, cell: str) -> None:
    await voucherify.imported(f"source_id,birthdate\nx,{cell}\n")
    assert (await voucherify.own("x"))["birthdate"] == "2022-03-11"


async def test_the_same_source_id_twice_is_one_customer_with_both_rows_applied(voucherify: Voucherify) -> None:
    action = await voucherify.imported("source_id,name,lang\nx,Ana,es\nx,Anna,en\n")
    assert action["result"]["done_count"] == 2
    assert await voucherify.own("x") == {
        "source_id": "x",
        "name": "Anna",
        "address": None,
        "metadata": {"lang": "en"},
    }


async def test_the_short_path_does_the_same(voucherify: Voucherify) -> None:
    action_id = await voucherify.send(FULL, "/customers/importCSV")
    assert action_id.startswith("aa_")


@pytest.mark.parametrize("content_type", ["text/csv", "application/octet-stream", "image/png"])
@pytest.mark.parametrize("file_name", ["customers.csv", "customers.json", "x", None])
async def test_a_part_may_have_any_name_and_type(
    voucherify: Voucherify, file_name: str | None, content_type: str
) -> None:
    name = "" if file_name is None else f'; filename="{file_name}"'
    head = f'--b\r\nContent-Disposition: form-data; name="file"{name}\r\nContent-Type: {content_type}\r\n\r\n'
    body = f"{head}{FULL}\r\n--b--"
    answer = await voucherify.post(
        "/v1/customers/importCSV", content=body.encode(), headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert answer.status_code == 202
    await voucherify.work(answer.json()["async_action_id"])
    assert (await voucherify.own("s-1"))["name"] == "Ana"


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"files": {"other": ("a.csv", b"a,b\n1,2\n", "text/csv")}},
        {"content": b"source_id\nx\n", "headers": {"Content-Type": "text/csv"}},
        {"json": {"file": "x"}},
    ],
    ids=["no body", "another part", "no form", "json"],
)
async def test_a_request_without_a_file_is_refused(
    voucherify: Voucherify, runtime: Runtime, request_: dict[str, Any]
) -> None:
    before = stored_files(runtime)
    answer = await voucherify.post("/v1/customers/importCSV", **request_)

    assert answer.status_code == 400
    body = answer.json()
    assert re.fullmatch(r"v-[0-9a-f]{18}", body.pop("request_id"))
    assert body == {
        "code": 400,
        "key": "invalid_payload",
        "message": "Invalid payload",
        "details": "Payload should have required property 'file'",
    }
    assert stored_files(runtime) == before


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (b"", "The file is empty"),
        (b"Name,name\na,b\n", "Two columns fill the field"),
        (b"City,Address_City\na,b\n", "Two columns fill the field"),
        (b"Lang,Lang\na,b\n", "Two columns fill the field"),
    ],
)
async def test_a_file_that_cannot_be_imported_is_refused(voucherify: Voucherify, file: bytes, told: str) -> None:
    answer = await voucherify.post("/v1/customers/importCSV", files={"file": ("a.csv", file)})
    assert answer.status_code == 400
    assert answer.json()["key"] == "invalid_payload"
    assert told in answer.json()["details"]


async def test_a_header_alone_is_done_at_once_with_nothing(voucherify: Voucherify) -> None:
    action = await voucherify.imported("Source_id,Name\n")
    assert action["result"]["message"] == "0 customer(s) imported successfully, 0 failed."


async def test_only_the_first_thousand_failures_are_named_and_all_are_counted(voucherify: Voucherify) -> None:
    action = await voucherify.imported("source_id,phone\n" + "".join(f"s{n},1\n" for n in range(1_005)))
    assert action["result"]["failed_count"] == 1_005
    assert len(action["result"]["failed"]) == 1_000
    assert action["result"]["failed"][-1] == {"source_id": "s999", "row": 1_000, "reason": "Invalid phone format"}


async def test_a_file_over_the_limit_is_refused_in_the_shape_of_413(
    client: httpx.AsyncClient, voucherify: Voucherify
) -> None:
    limit = voucherify.runtime.settings.max_file_bytes
    answer = await voucherify.post(
        "/v1/customers/importCSV",
        content=b"",
        headers={"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(limit + 100_000)},
    )
    assert answer.status_code == 413
    assert answer.json() == {
        "statusCode": 413,
        "error": "Request Entity Too Large",
        "message": f"The file is larger than {limit:,} bytes",
    }


async def test_the_eleventh_open_import_is_refused_with_retry_after(voucherify: Voucherify) -> None:
    for _ in range(10):
        await voucherify.send(FULL)
    answer = await voucherify.post("/v1/customers/importCSV", files={"file": ("a.csv", FULL.encode())})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["message"] == "Too many requests hit the API too quickly."


async def test_a_file_of_ids_alone_finds_its_customers(voucherify: Voucherify) -> None:
    await voucherify.imported("source_id\nx\n")
    known = (await voucherify.customer("x"))["id"]
    action = await voucherify.imported(f"Id\n{known}\ncust_000000000000000000000000\n")
    assert action["result"]["done_count"] == 1
    assert [each["row"] for each in action["result"]["failed"]] == [2]


async def test_a_line_of_nothing_but_commas_makes_no_customer(voucherify: Voucherify) -> None:
    action = await voucherify.imported("Source_id,Name,lang\nx,Ana,es\n,,\n , ,\n,,de\n")
    assert action["result"]["done_count"] == 2
    assert action["result"]["failed"] == []  # such lines are no rows, whatever the surface
    assert (await voucherify.get("/v1/customers")).json()["total"] == 2
