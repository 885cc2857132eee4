"""Whatever is wrong with a request is refused in Cordial's shape."""

import json
from typing import Any

import pytest

from app.runtime import Runtime
from tests.conftest import NewAccount
from tests.support.http import stored_files
from tests.surfaces.cordial.conftest import Cordial

WEB = {"transport": "http", "url": "http://10.0.0.1/a.csv"}
LOGIN = {"server": "s", "username": "u", "password": "p", "path": "a"}
REQUIRED = "The {} field is required."


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body.keys() == {"error", "errorKey", "message", "messages"}
    assert (body["error"], body["errorKey"]) == (True, "VALIDATION_ERROR")
    return dict(body["messages"]["validationErrors"])


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        (None, ["source"]),
        ("x", ["source"]),
        ({}, ["source.transport"]),
        ({"transport": "scp"}, ["source.transport"]),
        ({"transport": 5}, ["source.transport"]),
        ({"transport": "http"}, ["source.url"]),
        ({"transport": "HTTPS", "url": None}, ["source.url"]),
        ({"transport": "https", "url": "http://example.com/a.csv"}, ["source.url"]),
        ({"transport": "http", "url": "ftp://example.com/a.csv"}, ["source.url"]),
        ({"transport": "http", "url": "http://u:p@example.com/a.csv"}, ["source.url"]),
        ({"transport": "http", "url": "http://example.com:22/a.csv"}, ["source.url"]),
        ({"transport": "http", "url": 7}, ["source.url"]),
        ({"transport": "ftp"}, ["source.server", "source.username", "source.password", "source.path"]),
        ({"transport": "ftps", **LOGIN, "password": ""}, ["source.password"]),
        ({"transport": "ftps", **LOGIN, "tls": "none"}, ["source.tls"]),
        ({"transport": "sftp", **LOGIN, "port": "x"}, ["source.port"]),
        ({"transport": "sftp", **LOGIN, "port": 22.5}, ["source.port"]),
        ({"transport": "sftp", **LOGIN, "port": 6379}, ["source.port"]),
        ({"transport": "sftp", **LOGIN, "port": True}, ["source.port"]),
        ({"transport": "sftp", **LOGIN, "path": "a\nDELE b"}, ["source.path"]),
        (
            {"transport": "s3"},
            [
                "source.aws_access_key_id",
                "source.aws_secret_access_key",
                "source.aws_bucket",
                "source.aws_region",
                "source.path",
            ],
        ),
    ],
)
async def test_an_incomplete_source_names_what_is_missing(cordial: Cordial, source: object, fields: list[str]) -> None:
    answer = await cordial.post("/v2/productimports", {"source": source, "hasHeader": True})
    assert list(errors(answer)) == fields


async def test_the_vendors_words_for_what_is_missing(cordial: Cordial) -> None:
    answer = await cordial.post("/v2/productimports", {"source": {"transport": "http"}, "hasHeader": True})
    assert answer.json() == {
        "error": True,
        "errorKey": "VALIDATION_ERROR",
        "message": "The source.url field is required.",
        "messages": {"validationErrors": {"source.url": ["The source.url field is required."]}},
    }


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({}, ["hasHeader", "columns"]),
        ({"hasHeader": False}, ["hasHeader", "columns"]),
        ({"hasHeader": None, "columns": []}, ["hasHeader", "columns"]),
        ({"hasHeader": "yes"}, ["hasHeader"]),
        ({"hasHeader": 2}, ["hasHeader"]),
        ({"hasHeader": [True]}, ["hasHeader"]),
        ({"columns": "productID"}, ["columns"]),
        ({"columns": ["productID", ""]}, ["columns.1"]),
        ({"columns": ["productID", 1]}, ["columns.1"]),
        ({"hasHeader": True, "nullMarker": 1}, ["nullMarker"]),
        ({"hasHeader": True, "confirmEmail": "nobody"}, ["confirmEmail"]),
        ({"hasHeader": True, "confirmEmail": 1}, ["confirmEmail"]),
        ({"columns": ["productID", "productName", "productID"]}, ["productID"]),
        ({"columns": ["productName"]}, ["productID"]),
        ({"columns": ["productID"]}, ["productName"]),
    ],
)
async def test_options_that_do_not_fit_are_refused(
    cordial: Cordial, options: dict[str, Any], fields: list[str]
) -> None:
    answer = await cordial.post("/v2/productimports", {"source": WEB, **options})
    assert list(errors(answer)) == fields


@pytest.mark.parametrize("flag", [True, "true", 1, "1"])
async def test_has_header_may_be_spelled_in_several_ways(cordial: Cordial, flag: object) -> None:
    answer = await cordial.post("/v2/productimports", {"source": WEB, "hasHeader": flag})
    assert answer.json()["errorKey"] == "STORAGE_CONNECTION_ERROR"  # nothing else is wrong


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ({"hasHeader": ""}, ["hasHeader", "columns"]),
        ({"hasHeader": "maybe"}, ["hasHeader"]),
        ({"hasHeader": "", "columns": "[1]"}, ["columns.0"]),
        ({"hasHeader": "", "columns": '["a'}, ["columns"]),
        ({"hasHeader": "", "columns": "productID,,x"}, ["columns.1"]),
        ({"nullMarker": "\0"}, ["nullMarker"]),
        ({"nullMarker": b"\xff"}, ["nullMarker"]),
        ({"confirmEmail": "nobody"}, ["confirmEmail"]),
        ({"confirmEmail": ["a@example.com", "b@example.com"]}, ["confirmEmail"]),
        ({"hasHeader": "false", "columns": "productID,colour"}, ["colour", "productName"]),
    ],
)
async def test_a_form_that_does_not_fit_leaves_no_file(
    cordial: Cordial, runtime: Runtime, parts: dict[str, Any], fields: list[str]
) -> None:
    before = stored_files(runtime)
    assert list(errors(await cordial.send("productID,productName\n", **parts))) == fields
    assert stored_files(runtime) == before


@pytest.mark.parametrize(
    ("file", "field"),
    [
        (b"", "file"),
        (b"productID,productName,colour\n", "colour"),
        (b"productID,productName,\nP1,One,x\n", "file"),
        (b"productID,price\n", "productName"),
        (b"productName\n", "productID"),
        (b"productID,productName,variants.x.sku\n", "variants.x.sku"),
        (b"productID,productName,tags\n", "tags"),
    ],
)
async def test_a_file_whose_header_does_not_fit_is_refused(cordial: Cordial, file: bytes, field: str) -> None:
    assert set(errors(await cordial.send(file))) == {field, "file"}  # "file" has the headings that were found


async def test_a_form_without_a_file_is_refused(cordial: Cordial) -> None:
    answer = await cordial.ask("POST", "/v2/productimports", files={"hasHeader": (None, "true")})
    assert errors(answer) == {"file": ["The file field is required."]}


async def test_a_header_alone_imports_no_products(cordial: Cordial) -> None:
    job = await cordial.imported("productID,productName\n")
    assert (job["status"], job["totalItems"]) == ("Done", 0)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"a":1,"a":2}', b"\xff", b'{"a":NaN}', b"[" * 5_000])
@pytest.mark.parametrize("path", ["/v2/productimports", "/v2/products"])
async def test_a_body_that_is_not_a_json_object_is_refused(cordial: Cordial, path: str, body: bytes) -> None:
    answer = await cordial.ask("POST", path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["errorKey"]) == (400, "INVALID_JSON_PROVIDED")


@pytest.mark.parametrize("path", ["/v2/productimports", "/v2/products"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/csv"])
async def test_another_media_type_is_refused(cordial: Cordial, path: str, kind: str) -> None:
    answer = await cordial.ask("POST", path, content=b"a=b", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["errorKey"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_form_that_is_incomplete_is_refused(cordial: Cordial) -> None:
    answer = await cordial.ask(
        "POST", "/v2/productimports", content=b"x", headers={"Content-Type": "multipart/form-data; boundary=a"}
    )
    assert (answer.status_code, answer.json()["errorKey"]) == (400, "BAD_REQUEST")


async def test_a_body_that_is_too_large_is_refused(cordial: Cordial) -> None:
    answer = await cordial.post("/v2/products", {"productID": "x" * 1_100_000})
    assert (answer.status_code, answer.json()["errorKey"]) == (413, "REQUEST_TOO_LARGE")


@pytest.mark.parametrize(
    ("method", "path", "status", "key"),
    [
        ("GET", "/v2/nothing", 404, "RECORD_NOT_FOUND"),
        ("GET", "/v2/jobs/0123", 404, "RECORD_NOT_FOUND"),
        ("GET", "/v2/productimports", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/productimports", 405, "METHOD_NOT_ALLOWED"),
        ("PUT", "/v2/products", 405, "METHOD_NOT_ALLOWED"),
    ],
)
async def test_unknown_jobs_and_paths_are_not_found(
    cordial: Cordial, method: str, path: str, status: int, key: str
) -> None:
    answer = await cordial.ask(method, path)
    assert (answer.status_code, answer.json()["errorKey"]) == (status, key)
    assert answer.json()["error"] is True


@pytest.mark.parametrize("path", ["/v2/health", "/v2/jobs", "/v2/products", "/v2/products/P1"])
async def test_nobody_sees_anything_without_a_key(cordial: Cordial, path: str) -> None:
    answer = await cordial.client.get(path)
    assert (answer.status_code, answer.json()["errorKey"]) == (401, "UNAUTHORIZED")
    assert "www-authenticate" in answer.headers
    assert answer.json()["message"].startswith("The key is missing or wrong. Send it by Basic")


async def test_a_body_that_is_not_json_is_refused_as_a_body(cordial: Cordial) -> None:
    answer = await cordial.ask("POST", "/v2/products", content=b"[1]", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["message"]) == (400, "The body is not a JSON object: it is a list")


async def test_another_accounts_jobs_and_products_are_not_found(
    cordial: Cordial, a_key: NewAccount, runtime: Runtime
) -> None:
    job = await cordial.imported("productID,productName\nP1,One\n")
    other = Cordial(cordial.client, runtime, await a_key())
    for path in ("/v2/products/P1", f"/v2/jobs/{job['id']}"):
        assert (await other.ask("GET", path)).status_code == 404
    assert await other.get("/v2/products") == await other.get("/v2/jobs") == []
    assert (await other.ask("DELETE", "/v2/products/P1")).status_code == 404
    assert (await cordial.product("P1"))["productName"] == "One"


async def test_every_path_works_with_a_final_slash(cordial: Cordial) -> None:
    job = await cordial.imported("productID,productName\nP1,One\n")
    for path in ("/v2/health/", "/v2/jobs/", "/v2/products/", f"/v2/jobs/{job['id']}/"):
        assert (await cordial.ask("GET", path)).status_code == 200, path
    for path in ("/v2/productimports/", "/productimports/", "/productimports"):
        assert (await cordial.ask("POST", path, content=json.dumps({}))).status_code == 422, path
