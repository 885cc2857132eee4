"""What browsers, proxies and people expect of any HTTP service."""

from urllib.parse import quote

import httpx
import pytest

from app.main import create_app
from app.runtime import Misconfigured, Runtime
from tests.conftest import Finish
from tests.support.http import Account, app_on, client_of, post

ORIGIN = "https://app.example.com"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type",
}


async def test_no_answer_is_kept_by_a_cache(client: httpx.AsyncClient, an_account: Account) -> None:
    for path in (
        "/imports",
        "/types",
        "/records/contacts",
        "/healthz",
        "/nothing",
        "/v1/async-actions",
        "/v2/products",
    ):
        answer = await client.get(path, headers=an_account.headers)
        assert answer.headers.get_list("cache-control") == ["no-store"], path
    assert (await client.get("/docs/swagger-ui.css")).headers.get_list("cache-control") == ["max-age=3600"]


async def test_the_address_alone_leads_to_the_pages(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "app")
    assert (await client.get("/", follow_redirects=True)).headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("allowed", [f"{ORIGIN}, http://localhost:3000", "*"])
async def test_a_page_of_an_allowed_origin_may_call(runtime: Runtime, an_account: Account, allowed: str) -> None:
    app = create_app(runtime.settings.model_copy(update={"cors_origins": allowed}))
    app.state.runtime = runtime
    async with client_of(app) as client:
        preflight = await client.options("/imports", headers=PREFLIGHT)
        answer = await client.get("/imports", headers=an_account.headers | {"Origin": ORIGIN})
        refused = await client.get("/imports", headers={"Origin": ORIGIN})

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] in (ORIGIN, "*")
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    for each, status in ((answer, 200), (refused, 401)):
        assert each.status_code == status
        assert each.headers["access-control-allow-origin"] in (ORIGIN, "*")
        assert "access-control-allow-credentials" not in each.headers
        assert {"Retry-After", "X-Request-Id"} <= set(each.headers["access-control-expose-headers"].split(", "))


async def test_pages_of_other_origins_may_not_call(runtime: Runtime, an_account: Account) -> None:
    app = create_app(runtime.settings.model_copy(update={"cors_origins": "https://other.example.com"}))
    app.state.runtime = runtime
    async with client_of(app) as client, client_of(app_on(runtime)) as without:
        for each in (client, without):
            answer = await each.get("/imports", headers=an_account.headers | {"Origin": ORIGIN})
            preflight = await each.options("/imports", headers=PREFLIGHT)
            assert answer.status_code == 200
            assert preflight.status_code in (400, 405)
            assert "access-control-allow-origin" not in {*answer.headers, *preflight.headers}


@pytest.mark.parametrize("origins", ["app.example.com", "https://a.example.com/", "https://a.example.com/x", "ftp://a"])
def test_an_origin_that_no_browser_sends_is_refused_at_the_start(runtime: Runtime, origins: str) -> None:
    with pytest.raises(Misconfigured, match="SLUICE_CORS_ORIGINS"):
        create_app(runtime.settings.model_copy(update={"cors_origins": origins}))


@pytest.mark.parametrize("key", ["two\nlines", "two\r\nlines", "a/b\nc", "\u2028", "x\n\ny"])
async def test_a_key_with_line_breaks_is_readable_by_its_path(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, key: str
) -> None:
    file = f'_externalId,_name\n"A{key}B",Named\n'.encode()
    answer = await post(client, an_account, file)
    assert answer.status_code == 201, answer.text
    await finish(runtime, answer.json()["id"])

    own = await client.get(f"/records/contacts/{quote(f'A{key}B', safe='')}", headers=an_account.headers)
    assert own.status_code == 200, own.text
    assert own.json()["data"]["_name"] == "Named"


@pytest.mark.parametrize("key", ["two\nlines", "two\r\nlines", "a/b\nc", "\u2028"])
async def test_vendors_records_are_read_by_keys_with_line_breaks(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, key: str
) -> None:
    headers, key = an_account.headers, f"A{key}B"
    saved = await client.post("/v2/products", headers=headers, json={"productID": key, "productName": "Named"})
    assert saved.status_code == 200, saved.text
    product = await client.get(f"/v2/products/{quote(key, safe='')}", headers=headers)
    assert (product.status_code, product.json().get("productID")) == (200, key), product.text

    sent = await client.post("/v1/customers/bulk/async", headers=headers, json=[{"source_id": key, "name": "Named"}])
    await finish(runtime, sent.json()["async_action_id"].removeprefix("aa_"))
    customer = await client.get(f"/v1/customers/{quote(key, safe='')}", headers=headers)
    assert (customer.status_code, customer.json().get("source_id")) == (200, key), customer.text


@pytest.mark.parametrize("path", ["/v1/customers", "/v2/products"])
async def test_line_breaks_reach_the_vendors_paths(client: httpx.AsyncClient, an_account: Account, path: str) -> None:
    answer = await client.get(f"{path}/two%0Alines", headers=an_account.headers)
    assert answer.status_code == 404
    assert "path" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [
        ("GET", "/records/contacts", "It takes `limit` and `cursor`"),
        ("GET", "/records/contacts/a@example.com", "It takes none"),
        ("GET", "/imports/0123/problems", "It takes `limit`, `cursor`, `code` and `column`"),
        ("GET", "/imports/0123/failed-rows.csv", "It takes none"),
        ("GET", "/types", "It takes none"),
        ("PUT", "/types/things", "It takes none"),
        ("GET", "/coupon-sets/summer", "It takes none"),
        ("GET", "/connections", "It takes none"),
        ("DELETE", "/connections/0123", "It takes none"),
        ("POST", "/connections/0123/imports", "It takes `dryRun`"),
    ],
)
async def test_an_unknown_query_parameter_is_refused_by_name(
    client: httpx.AsyncClient, an_account: Account, method: str, path: str, takes: str
) -> None:
    answer = await client.request(method, f"{path}?pageSize=5&limit=5", headers=an_account.headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0] == {
        "path": "pageSize",
        "reason": f"`pageSize` is not a query parameter of this path. {takes}",
    }


@pytest.mark.parametrize("path", ["/imports", "/v1/async-actions", "/v2/products", "/healthz", "/docs"])
async def test_other_clients_may_send_more(client: httpx.AsyncClient, an_account: Account, path: str) -> None:
    answer = await client.get(f"{path}?utm_source=x&_=1", headers=an_account.headers)
    assert answer.status_code == 200, answer.text
