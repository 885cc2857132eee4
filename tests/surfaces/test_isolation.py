"""What one account has is nowhere for another: not on any route of any surface, whatever it is called there."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from app.item_images.kept_pictures import keep_picture
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from tests.support.http import Account, app_on, client_of, finish, make_account, post
from tests.support.pictures import picture

ROUTES = sorted(
    (method, context.path)
    for context in iter_route_contexts(create_app(Settings(_env_file=None)).routes)
    for method in context.methods
)
# They tell of the service, and need no key.
OPEN = {"/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/{file}"}
# These have tests of their own: the dashboard asks who has signed in, and not for a key; the others need `admin`, or a
# key of the operator.
ELSEWHERE = ("/app/", "/keys/", "/people/", "/admin/")
OURS = [(method, path) for method, path in ROUTES if path not in OPEN and not f"{path}/".startswith(ELSEWHERE)]
FEED_PATHS = ("", "/files", "/check", "/pause", "/resume")
WEBHOOK_PATHS = ("", "/rotate", "/test", "/deliveries")
MEMBERS = ("results", "customers", "async_actions")

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Owner:
    """An account that has something of everything. `mark` stands in all of its content, and in no id."""

    account: Account
    client: httpx.AsyncClient
    mark: str
    runs: Mapping[str, str]
    customer: str
    own: str
    token: str
    connection: str
    mapping: str
    export: str
    sync: str
    schedule: str
    feed: str
    webhook: str
    message: str

    def named(self, template: str) -> list[Names]:
        """Every way in which a path names what this account alone has."""
        runs = list(self.runs.values())
        actions = [f"aa_{self.runs[each]}" for each in ("customers", "bulk")]
        keys = [
            ("contacts", f"john-{self.own}@example.org"),
            ("customers", self.customer),
            ("customers", f"a/b-{self.own}"),
            ("products", f"product-{self.own}"),
            ("coupons", f"coupon-{self.own}"),
            ("catalog", f"item/{self.own}"),
            (self.own, f"key-{self.own}"),
        ]
        return {
            "/imports/{import_id}": [{"import_id": each} for each in (*runs, *actions)],
            "/imports/{import_id}/rerun": [{"import_id": each} for each in (*runs, *actions)],
            "/imports/{import_id}/resume": [{"import_id": each} for each in (*runs, *actions)],
            "/imports/{import_id}/cancel": [{"import_id": each} for each in (*runs, *actions)],
            "/imports/{import_id}/columns": [{"import_id": each} for each in runs],
            "/imports/{import_id}/rows/{row}": [{"import_id": each, "row": "1"} for each in runs],
            "/imports/{import_id}/problems": [{"import_id": each} for each in runs],
            "/imports/{import_id}/changes": [{"import_id": each} for each in runs],
            "/imports/{import_id}/events": [{"import_id": each} for each in runs],
            "/imports/{import_id}/results": [{"import_id": each} for each in runs],
            "/imports/{import_id}/commit": [{"import_id": each} for each in runs],
            "/imports/{import_id}/retry": [{"import_id": each} for each in runs],
            "/imports/{import_id}/corrections": [{"import_id": each} for each in runs],
            "/imports/{import_id}/failed-values": [{"import_id": each} for each in runs],
            "/imports/{import_id}/failed-rows.csv": [{"import_id": each} for each in runs],
            "/imports/{import_id}/undo": [{"import_id": each} for each in (*runs, *actions)],
            "/runs/{run_id}/undo": [{"run_id": each} for each in (*runs, *actions, self.export)],
            "/records/{type}/{key}/history": [{"type": each, "key": key} for each, key in keys],
            "/runs/{run_id}": [{"run_id": each} for each in (*runs, *actions, self.export)],
            "/runs/{run_id}/problems": [{"run_id": each} for each in (*runs, *actions, self.export)],
            "/runs/{run_id}/resume": [{"run_id": each} for each in (*runs, *actions, self.export)],
            "/runs/{run_id}/events": [{"run_id": each} for each in (*runs, *actions, self.export)],
            "/runs/{run_id}/cancel": [{"run_id": each} for each in (*runs, *actions, self.export)],
            "/exports/{export_id}": [{"export_id": self.export}],
            "/exports/{export_id}/cancel": [{"export_id": self.export}],
            "/exports/{export_id}/rerun": [{"export_id": self.export}],
            "/exports/{export_id}/file": [{"export_id": self.export}],
            "/exports/{export_id}/retry": [{"export_id": self.export}],
            "/v1/async-actions/{action_id}": [{"action_id": each} for each in actions],
            "/v1/async-actions/{action_id}/report.csv": [{"action_id": f"aa_{self.runs['bulk']}"}],
            "/v1/customers/{customer_id}": [{"customer_id": each} for each in (self.customer, f"a/b-{self.own}")],
            "/v2/jobs/{job_id}": [{"job_id": self.runs["catalog"]}],
            "/v2/products/{product_id}": [{"product_id": f"item/{self.own}"}],
            "/records/{type}": [{"type": self.own}],
            "/records/{type}/{key}": [{"type": each, "key": key} for each, key in keys],
            "/items/{item_code}/images": [{"item_code": f"item/{self.own}"}],
            "/items/{item_code}/images/{sequence}": [{"item_code": f"item/{self.own}", "sequence": "1"}],
            "/types/{name}": [{"name": self.own}],
            "/types/{name}/sample.csv": [{"name": self.own}],
            "/coupon-sets/{set_id}": [{"set_id": self.own}],
            "/mappings/{mapping_id}": [{"mapping_id": self.mapping}],
            "/mappings/{mapping_id}/sample.csv": [{"mapping_id": self.mapping}],
            "/item-syncs/{sync_id}": [{"sync_id": self.sync}],
            "/item-syncs/{sync_id}/test": [{"sync_id": self.sync}],
            "/item-syncs/{sync_id}/runs": [{"sync_id": self.sync}],
            "/schedules/{schedule_id}": [{"schedule_id": self.schedule}],
            "/schedules/{schedule_id}/pause": [{"schedule_id": self.schedule}],
            "/schedules/{schedule_id}/resume": [{"schedule_id": self.schedule}],
            **{f"/feeds/{{feed_id}}{each}": [{"feed_id": self.feed}] for each in FEED_PATHS},
            **{f"/webhooks/{{webhook_id}}{each}": [{"webhook_id": self.webhook}] for each in WEBHOOK_PATHS},
            **{
                f"/webhooks/{{webhook_id}}/deliveries/{{delivery_id}}{each}": [
                    {"webhook_id": self.webhook, "delivery_id": self.message}
                ]
                for each in ("", "/replay")
            },
            "/connections/{connection_id}": [{"connection_id": self.connection}],
            "/connections/{connection_id}/imports": [{"connection_id": self.connection}],
            "/connections/{connection_id}/test-import": [{"connection_id": self.connection}],
            "/connections/{connection_id}/test-export": [{"connection_id": self.connection}],
        }[template]

    def shared(self, template: str) -> list[Names]:
        """The names that every account has for things of its own."""
        built_in = ("contacts", "customers", "products", "coupons", "catalog", "shop-products", "tags", "items")
        return {
            "/records/{type}": [{"type": each} for each in built_in],
            "/types/{name}": [{"name": "contacts"}],
            "/types/{name}/sample.csv": [{"name": "contacts"}],
        }.get(template, [] if "{" in template else [{}])

    async def sees(self) -> dict[str, str]:
        """All that this account can read of itself, path by path."""
        return {path: (await self.client.get(path, headers=self.account.headers)).text for path in self.readable()}

    def readable(self) -> list[str]:
        templates = [plain(path) for method, path in OURS if method == "GET" and not path.endswith("/")]
        return [
            filled(each, names)
            for each in templates
            for names in [*(self.named(each) if "{" in each else []), *self.shared(each)]
        ]


def plain(path: str) -> str:
    """Without converters and a slash at the end."""
    return re.sub(r"\{(\w+):(?:path|key)\}", r"{\1}", path).rstrip("/")


def filled(template: str, names: Names) -> str:
    return template.format_map({name: value.replace("/", "%2F") for name, value in names.items()})


@pytest.fixture(scope="module")
async def owner(runtime: Runtime) -> AsyncIterator[Owner]:
    account = await make_account(runtime)
    async with client_of(app_on(runtime)) as client:
        empty = Owner(account, client, f"mark{token_hex(4)}", {}, "", f"t{token_hex(4)}", *[""] * 9)
        yield await furnished(empty, runtime)


async def furnished(empty: Owner, runtime: Runtime) -> Owner:
    """With runs of every origin, rows that failed, records of every type, a type, a coupon set and a token."""
    client, headers, own, mark = empty.client, empty.account.headers, empty.own, empty.mark
    fields = [{"id": "key", "type": "text"}, {"id": mark, "type": "text"}]
    made = [
        await client.put(f"/types/{own}", headers=headers, json={"key": "key", "fields": fields}),
        await client.put("/types/contacts", headers=headers, json={"fields": [{"id": mark, "type": "text"}]}),
        await client.put(f"/coupon-sets/{own}", headers=headers, json={"name": mark}),
    ]
    assert [each.status_code for each in made] == [201, 201, 201]
    runs = {
        "contacts": f"_email,_name,_points\njohn-{own}@example.org,{mark},1\nbad@example.org,Bad,{mark}\n",
        "products": f"productId,productDetailUrl,name,unitPrice\nproduct-{own},https://example.org/{mark},{mark},1\n",
        "coupons": f"code\ncoupon-{own}\n",
        own: f"key,{mark}\nkey-{own},{mark}\n",
        "items": f"ItemCode,Description\nitem/{own},{mark}\n",
        "item-images": f"id,itemCode,sequence,sha256,fileName\nitem/{own}_1,item/{own},1,{own},{mark}\n",
    }
    await keep_picture(runtime, empty.account.id, own, picture())
    ids = {each: await imported(empty, runtime, each, file) for each, file in runs.items()}
    csv = {"file": (f"{mark}.csv", f"Source_id,Name,Phone\na/b-{own},{mark},\n{mark},Bad,1\n".encode(), "text/csv")}
    items = [{"source_id": f"bulk-{own}", "name": mark}, {"source_id": mark, "email": mark}]
    started = {
        "customers": await client.post("/v1/customers/importCSV", headers=headers, files=csv),
        "bulk": await client.post("/v1/customers/bulk/async", headers=headers, json=items),
    }
    file = f"productID,productName,price\nitem/{own},{mark},1\nbad,{mark},{mark}\n".encode()
    item = {"file": (f"{mark}.csv", file, "text/csv")}
    job = await client.post("/v2/productimports", headers=headers, data={"hasHeader": "true"}, files=item)
    ids["catalog"] = job.json()["jobId"]
    ids |= {each: answer.json()["async_action_id"].removeprefix("aa_") for each, answer in started.items()}
    for each in ids.values():
        await finish(runtime, each)
    customer = await client.get(f"/v1/customers/a%2Fb-{own}", headers=headers)
    grant = {"grant_type": "client_credentials"}
    token = await client.post("/v1/oauth/token", headers=headers, data=grant)
    place = {"name": mark, "transport": "ftp", "host": f"{mark}.example.com", "password": mark}
    connection = (await client.post("/connections", headers=headers, json=place)).json()["id"]
    export = (await client.post("/exports", headers=headers, json={"type": own, "name": mark})).json()["id"]
    await finish(runtime, export)
    columns = [{"column": mark, "field": mark}, {"column": "Key", "field": "key"}]
    template = {"name": mark, "type": own, "columns": columns}
    mapping = (await client.post("/mappings", headers=headers, json=template)).json()["id"]
    wanted = {"name": mark, "connectionId": connection}
    sync = (await client.post("/item-syncs", headers=headers, json=wanted)).json()["id"]
    wanted = {"name": mark, "kind": "export", "request": {"type": own}, "cron": "0 0 1 1 *"}
    schedule = (await client.post("/schedules", headers=headers, json=wanted)).json()["id"]
    watched = {"name": mark, "connectionId": connection, "request": {"path": f"/{mark}/*.csv", "type": own}}
    feed = (await client.post("/feeds", headers=headers, json=watched)).json()["id"]
    names = (customer.json()["id"], own, token.json()["access_token"], connection, mapping, export)
    hook = {"name": mark, "url": f"https://{mark}.example.com/hook", "onlyNamed": True}
    webhook = (await client.post("/webhooks", headers=headers, json=hook)).json()["id"]
    message = (await client.post(f"/webhooks/{webhook}/test", headers=headers)).json()["id"]
    made_of = (*names, sync, schedule, feed, webhook, message)
    return Owner(empty.account, client, mark, ids, *made_of)


async def imported(owner: Owner, runtime: Runtime, type: str, file: str) -> str:
    parts = {"type": type, "couponSetId": owner.own if type == "coupons" else None}
    started = await post(owner.client, owner.account, file.encode(), name=f"{owner.mark}.csv", parts=parts)
    assert started.status_code == 201, started.text
    return str(started.json()["id"])


def test_every_path_that_names_something_is_looked_at(owner: Owner) -> None:
    for _, path in OURS:
        if "{" in path:
            assert owner.named(plain(path)), path


# Lists of types and days, which all accounts have; and what has happened to an account, such as that it was made.
SAME_FOR_ALL = ("/types", "/records", "/runs/daily", "/audit")


async def test_the_owner_reads_all_of_it(owner: Owner) -> None:
    for path in owner.readable():
        answer = await owner.client.get(path, headers=owner.account.headers)
        assert answer.status_code == 200, path
    text = "".join((await owner.sees()).values())
    assert text.count(owner.mark) > 30


@pytest.mark.parametrize(("method", "path"), [each for each in OURS if "{" in each[1] and each[0] != "PUT"])
async def test_what_another_account_has_is_not_found(owner: Owner, an_account: Account, method: str, path: str) -> None:
    for names in owner.named(plain(path)):
        where = filled(plain(path), names) + ("/" if path.endswith("/") else "")
        answer = await owner.client.request(method, where, headers=an_account.headers)
        assert answer.status_code == 404, where
        assert owner.mark not in answer.text


@pytest.mark.parametrize(("method", "path"), [each for each in OURS if each[0] == "GET"])
async def test_a_name_that_all_accounts_have_shows_nothing_of_another(
    owner: Owner, an_account: Account, method: str, path: str
) -> None:
    for names in owner.shared(plain(path)):
        where = filled(plain(path), names) + ("/" if path.endswith("/") else "")
        answer = await owner.client.get(where, headers=an_account.headers)
        assert answer.status_code == 200, where
        assert owner.mark not in answer.text
        assert not any(run in answer.text for run in owner.runs.values())
        if plain(path) not in SAME_FOR_ALL and answer.headers["content-type"] == "application/json":
            told = answer.json()
            assert told == [] or not any(told.get(member) for member in MEMBERS), where
        if plain(path) == "/records":
            assert not any(each["count"] for each in answer.json()["results"])
        if plain(path) == "/runs/daily":
            assert not any(each[figure] for each in answer.json()["results"] for figure in each if figure != "day")


async def test_what_another_account_has_is_not_changed(owner: Owner, runtime: Runtime) -> None:
    before = await owner.sees()
    writes = sorted({(method, plain(path)) for method, path in OURS if method not in ("GET", "DELETE")})
    assert len(writes) > 30
    for method, template in writes:
        stranger = await make_account(runtime)
        for names in owner.named(template) if "{" in template else [{}]:
            for request in requests(owner, template):
                where = filled(template, names)
                answer = await owner.client.request(method, where, headers=stranger.headers, **request)
                assert answer.status_code < 500, where
                assert owner.mark not in answer.text, where
                await ended(runtime, answer)
    assert await owner.sees() == before


def requests(owner: Owner, template: str) -> list[dict[str, Any]]:
    """What a caller could send that means another account's things."""
    file = f"Id,Source_id,Name\n{owner.customer},,Stolen\n,a/b-{owner.own},Stolen\n".encode()
    contacts = f"_email,_name\njohn-{owner.own}@example.org,Stolen\n".encode()
    parts = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
    sources = [f"a/b-{owner.own}", owner.customer]
    csv = {"files": {"file": ("customers.csv", file, "text/csv")}}
    item = f"item/{owner.own}"
    stolen_feed = {"name": "Stolen", "connectionId": owner.connection, "request": {"path": "*", "type": "contacts"}}
    product = {"file": ("products.csv", f"productID,productName\n{item},Stolen\n".encode(), "text/csv")}
    stolen = {"name": "Stolen", "cron": "* * * * *"}
    schedules: list[dict[str, Any]] = [
        {**stolen, "kind": "export", "request": {"type": owner.own}},
        {**stolen, "kind": "import", "connectionId": owner.connection, "request": {"path": "a", "type": "contacts"}},
    ]
    products = [{"data": {"hasHeader": "true"}, "files": product}]
    return {
        "/imports/{import_id}/rerun": [csv, {}],
        "/imports/{import_id}/resume": [{}],
        "/imports/{import_id}/cancel": [{}, {"params": {"undo": "true"}}],
        "/imports/{import_id}/commit": [{}],
        "/imports/{import_id}/retry": [csv, {}],
        "/imports/{import_id}/corrections": [{"json": {"corrections": [{"ignore": True, "column": "Name"}]}}],
        "/imports/{import_id}/undo": [{}, {"json": {"dryRun": True}}],
        "/runs/{run_id}/undo": [{}, {"json": {"dryRun": True}}],
        "/account/defaults": [{"json": {"maxErrors": 1}}],
        "/imports/file": [{"data": parts, "files": {"file": ("contacts.csv", contacts, "text/csv")}}],
        "/runs/{run_id}/resume": [{}],
        "/exports/{export_id}/cancel": [{}],
        "/runs/{run_id}/cancel": [{}],
        "/v2/productimports": products,
        "/productimports": products,
        "/v2/products": [{"json": {"productID": item, "productName": "Stolen"}}],
        "/imports": [
            {"data": parts, "files": {"file": ("contacts.csv", contacts, "text/csv")}},
            {
                "data": parts | {"type": "coupons", "couponSetId": owner.own},
                "files": {"file": ("coupons.csv", b"code\nstolen\n", "text/csv")},
            },
            {"data": parts | {"type": owner.own}, "files": {"file": ("own.csv", b"key\nstolen\n", "text/csv")}},
            {"files": {n: (None, v) for n, v in (parts | {"connectionId": owner.connection, "path": "a.csv"}).items()}},
        ],
        "/mappings": [
            {"json": {"name": "Stolen", "type": owner.own, "columns": [{"column": "x", "field": "key"}]}},
            {"json": {"name": "Own", "type": "contacts", "columns": [{"column": "x", "field": "_email"}]}},
        ],
        "/mappings/{mapping_id}": [{"json": {"name": "Stolen", "columns": [{"column": "x", "field": "key"}]}}],
        "/mappings/suggest": [
            {"data": {"type": owner.own}, "files": {"file": ("own.csv", b"key\nstolen\n", "text/csv")}}
        ],
        "/exports": [
            *({"json": {"type": each}} for each in ("contacts", "coupons", owner.own)),
            {"json": {"type": "contacts", "destinations": [{"connectionId": owner.connection, "path": "a.csv"}]}},
        ],
        "/exports/{export_id}/retry": [{}],
        "/exports/{export_id}/rerun": [{}],
        "/schedules": [{"json": each} for each in schedules],
        "/schedules/{schedule_id}": [{"json": each} for each in schedules],
        "/schedules/{schedule_id}/pause": [{}],
        "/schedules/{schedule_id}/resume": [{}],
        "/item-syncs": [{"json": {"name": "Stolen", "connectionId": owner.connection}}],
        "/item-syncs/{sync_id}/runs": [{}],
        "/item-syncs/{sync_id}/test": [{}],
        "/item-syncs/{sync_id}": [{"json": {"name": "Stolen", "connectionId": owner.connection}}],
        "/feeds": [{"json": stolen_feed}],
        "/feeds/{feed_id}": [{"json": stolen_feed}],
        **{f"/feeds/{{feed_id}}{each}": [{}] for each in ("/check", "/pause", "/resume")},
        "/webhooks": [{"json": {"name": owner.mark[:4], "url": "https://example.com/hook"}}],
        "/webhooks/{webhook_id}": [{"json": {"name": "Stolen", "url": "https://example.com/hook"}}],
        **{f"/webhooks/{{webhook_id}}{each}": [{}] for each in ("/rotate", "/test")},
        "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": [{}],
        "/connections": [{"json": {"name": owner.mark[:4], "transport": "ftp", "host": "example.com"}}],
        "/connections/{connection_id}": [{"json": {"name": "Stolen", "transport": "ftp", "host": "example.com"}}],
        "/connections/{connection_id}/imports": [{"json": {"path": "a.csv", "type": "contacts"}}],
        "/connections/{connection_id}/test-import": [{"json": {"path": "a.csv"}}],
        "/connections/{connection_id}/test-export": [{"json": {"path": ""}}],
        "/v1/customers/importCSV": [csv],
        "/customers/importCSV": [csv],
        "/v1/customers/bulk/async": [{"json": [{"source_id": each, "name": "Stolen"} for each in sources]}],
        "/v1/customers/metadata/async": [{"json": {"source_ids": sources, "metadata": {"stolen": True}}}],
        "/v1/oauth/token": [{"data": {"grant_type": "client_credentials"}}],
        "/v1/oauth/introspect": [{"data": {"access_token": owner.token}}],
        "/v1/oauth/token/revoke": [{"data": {"access_token": owner.token}}],
        "/records/{type}/{key}": [{"json": {"name": "Stolen", "Name": "Stolen", "_name": "Stolen"}}],
        "/types/{name}": [{"json": {"key": "other", "fields": [{"id": "other", "type": "text"}]}}],
        "/coupon-sets/{set_id}": [{"json": {"name": "Stolen"}}],
    }[template]


async def ended(runtime: Runtime, answer: httpx.Response) -> None:
    """Waits for an import, if the answer started one."""
    if answer.status_code == 200 and "jobId" in answer.json():
        await finish(runtime, answer.json()["jobId"])
    if answer.status_code in (201, 202) and {"id", "async_action_id"} & answer.json().keys():
        told = answer.json()
        if "async_action_id" in told or "status" in told:
            await finish(runtime, told.get("async_action_id", told.get("id", "")).removeprefix("aa_"))


async def test_another_accounts_coupon_set_and_type_are_refused(owner: Owner, an_account: Account) -> None:
    coupons = await post(owner.client, an_account, b"code\nx\n", parts={"type": "coupons", "couponSetId": owner.own})
    typed = await post(owner.client, an_account, b"key\nx\n", parts={"type": owner.own})
    assert [(each.status_code, each.json()["errors"][0]["path"]) for each in (coupons, typed)] == [
        (422, "couponSetId"),
        (422, "type"),
    ]


async def test_another_accounts_customer_id_fails_its_row(owner: Owner, an_account: Account, runtime: Runtime) -> None:
    file = f"Id,Name\n{owner.customer},Stolen\n".encode()
    started = await owner.client.post(
        "/v1/customers/importCSV", headers=an_account.headers, files={"file": ("customers.csv", file, "text/csv")}
    )
    await ended(runtime, started)
    action = await owner.client.get(
        f"/v1/async-actions/{started.json()['async_action_id']}", headers=an_account.headers
    )
    result = action.json()["result"]
    assert (result["done_count"], result["failed_count"]) == (0, 1)


async def test_another_accounts_token_is_as_good_as_none(owner: Owner, an_account: Account) -> None:
    told, taken = [], []
    for token in (owner.token, "sluice_at_made_up"):
        form = {"access_token": token}
        told.append(await owner.client.post("/v1/oauth/introspect", headers=an_account.headers, data=form))
        taken.append(await owner.client.post("/v1/oauth/token/revoke", headers=an_account.headers, data=form))
    used = await owner.client.get("/v1/customers", headers={"Authorization": f"Bearer {owner.token}"})
    assert [each.json() for each in told] == [{"active": False}] * 2
    assert taken[0].status_code == taken[1].status_code
    assert used.status_code == 200


async def test_no_filter_finds_what_another_account_has(owner: Owner, an_account: Account) -> None:
    for path, member in (
        (f"/imports?type={owner.own}", "results"),
        ("/imports?status=finished", "results"),
        (f"/v1/customers?name={owner.mark}", "customers"),
        ("/v1/customers?created_at[after]=2020-01-01", "customers"),
        ("/v1/customers?page=1&order=source_id", "customers"),
        ("/v1/async-actions?end_date=2200-01-01", "async_actions"),
    ):
        own = await owner.client.get(path, headers=owner.account.headers)
        others = await owner.client.get(path, headers=an_account.headers)
        assert own.json()[member], path
        assert (others.status_code, others.json()[member]) == (200, []), path


@pytest.mark.parametrize(("method", "path"), OURS)
async def test_without_a_key_no_route_tells_anything(owner: Owner, method: str, path: str) -> None:
    names = owner.named(plain(path))[0] if "{" in path else {}
    answer = await owner.client.request(method, filled(plain(path), names))
    assert answer.status_code == 401
    assert owner.mark not in answer.text
