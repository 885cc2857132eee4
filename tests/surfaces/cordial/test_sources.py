"""Sources in a JSON body: every example of the vendor's page, and what is refused at once."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from app.connections.pull import Pull
from app.errors import Complaint
from app.runtime import Runtime
from app.surfaces.cordial.translate.source import parse_source
from app.transports.guard import Guard
from app.transports.options import TRUST_FIRST
from app.transports.transport import Remote
from tests.support import http
from tests.support.http import Account
from tests.surfaces.cordial.conftest import Cordial

# The examples of the vendor's page


def made(source: dict[str, Any]) -> Pull:
    complaints: list[Complaint] = []
    pull = parse_source(source, complaints)
    assert complaints == []
    assert pull is not None
    return pull


def test_the_example_for_http() -> None:
    pull = made({"transport": "https", "url": "https://example.com/product-import.csv"})
    assert pull == Pull(Remote("https", "example.com", 443), "/product-import.csv")


@pytest.mark.parametrize("path", ["/files/file.csv", "./files/file.csv", "files/file.csv"])
@pytest.mark.parametrize("transport", ["sftp", "ftp", "SFTP"])
def test_the_example_for_ftp_and_sftp(transport: str, path: str) -> None:
    login = {"server": "example.com", "username": "myusername", "password": "Msm1th$99!"}
    pull = made({"transport": transport, **login, "path": path})
    options = {} if transport == "ftp" else {"host_key": TRUST_FIRST}
    remote = Remote(transport.lower(), "example.com", None, "myusername", SecretStr("Msm1th$99!"), options)
    assert pull == Pull(remote, path.removeprefix("./"))


@pytest.mark.parametrize("path", ["folder/products.csv", "/folder/products.csv", "./folder/products.csv"])
def test_the_example_for_s3(path: str) -> None:
    pull = made(
        {
            "transport": "s3",
            "aws_access_key_id": "AAAAAAAAAAAAAAAAAAAA",
            "aws_secret_access_key": "dudhKDDHE476383kdsdhdkasKDHDKDeiuealskjD",
            "aws_bucket": "some-bucket",
            "aws_region": "us-west-2",
            "path": path,
        }
    )
    keys = {
        "access_key": SecretStr("AAAAAAAAAAAAAAAAAAAA"),
        "secret_key": SecretStr("dudhKDDHE476383kdsdhdkasKDHDKDeiuealskjD"),
    }
    remote = Remote("s3", "", options={"bucket": "some-bucket", "region": "us-west-2", **keys})
    assert pull == Pull(remote, "folder/products.csv")


@pytest.mark.parametrize(("port", "read"), [("44", 44), (Decimal(44), 44), (" 2222 ", 2222), ("", None), (None, None)])
def test_a_port_is_a_text_or_a_number(port: object, read: int | None) -> None:
    login = {"server": "example.com", "username": "u", "password": "p"}
    assert made({"transport": "sftp", "port": port, "path": "a", **login}).remote.port == read


# What is refused at once


@pytest.mark.parametrize(
    "source",
    [
        {"transport": "http", "url": "http://10.0.0.1/a.csv"},
        {"transport": "https", "url": "https://[::1]/a.csv"},
        {"transport": "http", "url": "http://169.254.169.254/latest/meta-data"},
        {"transport": "sftp", "server": "192.168.0.1", "username": "u", "password": "p", "path": "a"},
    ],
)
async def test_an_address_of_an_internal_network_is_refused(cordial: Cordial, source: dict[str, Any]) -> None:
    answer = await cordial.post("/v2/productimports", {"source": source, "hasHeader": True})
    assert (answer.status_code, answer.json()["errorKey"]) == (422, "STORAGE_CONNECTION_ERROR")
    assert (
        "The host name is unknown, or its address is one that this service is not allowed to call"
        in answer.json()["message"]
    )


async def test_the_vendors_example_request_is_accepted(runtime: Runtime, an_account: Account) -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return ["93.184.216.34"]

    here = replace(runtime, transfer_policy=replace(runtime.transfer_policy, guard=Guard(lookup=lookup)))
    async with http.client_of(http.app_on(here)) as client:
        cordial = Cordial(client, here, an_account)
        names = ["productID", "productName", "productType", "price", "sale.enabled", "variants.0.sku", "tags.0"]
        for more in ({"hasHeader": True}, {"columns": names}):
            source = {"transport": "https", "url": "https://example.com/product-import.csv"}
            body = {"source": source, "confirmEmail": "jsmith@example.com", **more}
            answer = await cordial.post("/productimports", body)
            assert answer.status_code == 200, answer.text
        assert [each["status"] for each in await cordial.get("/v2/jobs")] == ["Pending", "Pending"]


async def test_a_column_that_no_product_has_is_refused_before_the_file_is_fetched(cordial: Cordial) -> None:
    source = {"transport": "http", "url": "http://10.0.0.1/a.csv"}
    body = {"source": source, "columns": ["productID", "productName", "colour"]}
    answer = await cordial.post("/v2/productimports", body)
    assert answer.status_code == 422
    assert list(answer.json()["messages"]["validationErrors"]) == ["colour"]


@pytest.mark.parametrize(
    ("name", "columns"),
    [("p.jsonl.gz", ["whatever"]), ("export", ["whatever"]), ("p.csv", ["productID", " productName"])],
)
async def test_columns_are_refused_early_only_where_no_such_file_could_fit(
    cordial: Cordial, name: str, columns: list[str]
) -> None:
    source = {"transport": "https", "url": f"https://192.0.2.1/{name}"}
    answer = await cordial.post("/v2/productimports", {"source": source, "columns": columns})
    assert answer.json().get("errorKey") != "VALIDATION_ERROR", answer.text
