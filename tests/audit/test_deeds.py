"""What the APIs change is noted with who did it and from where, in the same transaction, and no secret is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest

from app.runtime import Runtime
from app.storage.people import links, members
from tests.audit.conftest import Deeds
from tests.conftest import NewAccount
from tests.dashboard.people import make_person
from tests.support import http
from tests.support.http import Account

SECRET: Final = "s3cret-of-this-test"
GADGETS: Final = {"key": "sku", "fields": [{"id": "sku", "type": "text"}]}
PLACE: Final = {"name": "shop", "transport": "ftp", "host": "ftp.example.com", "password": SECRET}
TEMPLATE: Final = {"name": "nightly", "type": "contacts", "columns": [{"column": "Mail", "field": "_email"}]}
HOOK: Final = {"name": "hook", "url": f"https://hook.example.com/?key={SECRET}"}
CLOCK: Final = {"name": "weekly", "kind": "export", "request": {"type": "contacts"}, "cron": "0 0 1 1 *"}
PERSON: Final = {"email": "ada@example.org", "name": "Ada", "role": "viewer"}


@dataclass
class Log:
    """Sends requests in the name of one key, and tells what each has added to the log."""

    client: httpx.AsyncClient
    account: Account
    deeds: Deeds
    seen: int = 0
    answers: list[httpx.Response] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, **given: Any) -> list[str]:
        """`action of name: changed fields` of each row that is new."""
        answer = await self.client.request(method, path.format(**self.ids), headers=self.account.headers, **given)
        assert answer.is_success, f"{path}: {answer.text}"
        self.answers.append(answer)
        if method == "POST" and path.count("/") == 1 and answer.content and "id" in answer.json():
            self.ids[path.strip("/").replace("-", "_")] = answer.json()["id"]
        return await self.told()

    async def told(self) -> list[str]:
        rows = await self.deeds(self.account.id, after=self.seen)
        self.seen = rows[-1]["id"] if rows else self.seen
        for row in rows:
            assert (row["actor_kind"], row["actor_id"]) == ("key", self.account.key.split(":")[0])
            assert (row["actor_name"], row["address"]) == ("test", "127.0.0.1")
            assert row["request_id"] == self.answers[-1].headers["X-Request-Id"]
        return [f"{row['action']} {row['what_name']} {' '.join(row['fields'])}".strip() for row in rows]


# What is sent, and what it adds to the log: nothing where nothing is changed.
STEPS: Final[list[tuple[str, str, Mapping[str, Any] | None, list[str]]]] = [
    ("PUT", "/types/gadgets", GADGETS, ["type.created None"]),
    ("PUT", "/types/gadgets", GADGETS, []),
    ("PUT", "/types/gadgets", GADGETS | {"unknownColumns": "keep"}, ["type.changed None unknownColumns"]),
    ("PUT", "/coupon-sets/spring", {"name": "Spring"}, ["coupon_set.created Spring"]),
    ("PUT", "/coupon-sets/spring", {"name": "Spring"}, []),
    ("PUT", "/account/defaults", {"maxErrors": 5}, ["account.changed {account} max_errors"]),
    ("POST", "/connections", PLACE, ["connection.created shop"]),
    ("PUT", "/connections/{connections}", PLACE | {"host": "b.example.com"}, ["connection.changed shop host"]),
    ("PUT", "/connections/{connections}", PLACE | {"host": "b.example.com"}, []),
    ("PUT", "/connections/{connections}", PLACE | {"password": f"{SECRET}!"}, ["connection.changed shop host secret"]),
    ("POST", "/mappings", TEMPLATE, ["mapping.created nightly"]),
    ("PUT", "/mappings/{mappings}", TEMPLATE | {"name": "daily"}, ["mapping.changed daily name"]),
    ("DELETE", "/mappings/{mappings}", None, ["mapping.deleted daily"]),
    ("POST", "/webhooks", HOOK, ["webhook.created hook"]),
    ("PUT", "/webhooks/{webhooks}", HOOK | {"enabled": False}, ["webhook.paused hook"]),
    ("PUT", "/webhooks/{webhooks}", HOOK | {"enabled": False}, []),
    ("POST", "/webhooks/{webhooks}/rotate", None, ["webhook.changed hook secret"]),
    ("DELETE", "/webhooks/{webhooks}", None, ["webhook.deleted hook"]),
    ("POST", "/schedules", CLOCK, ["schedule.created weekly"]),
    ("PUT", "/schedules/{schedules}", CLOCK | {"cron": "0 1 1 1 *"}, ["schedule.changed weekly cron"]),
    ("POST", "/schedules/{schedules}/pause", None, ["schedule.paused weekly"]),
    ("POST", "/schedules/{schedules}/pause", None, []),
    ("POST", "/schedules/{schedules}/resume", None, ["schedule.resumed weekly"]),
    ("DELETE", "/schedules/{schedules}", None, ["schedule.deleted weekly"]),
    ("POST", "/people", PERSON, ["person.invited ada@example.org", "person.link_made ada@example.org"]),
    ("PUT", "/people/{people}", {"role": "admin"}, ["person.changed ada@example.org role"]),
    ("DELETE", "/people/{people}", None, ["person.removed ada@example.org"]),
    ("POST", "/keys", {"label": "other", "scopes": ["imports:read"]}, ["key.created other"]),
    ("DELETE", "/keys/{keys}", None, ["key.revoked other"]),
    ("POST", "/v2/products", {"productID": "p1", "productName": "One"}, ["record.created catalog"]),
    ("POST", "/v2/products", {"productID": "p1", "productName": "One"}, []),
    ("POST", "/v2/products", {"productID": "p1", "productName": "Two"}, ["record.changed catalog"]),
    ("PATCH", "/records/catalog/p1", {"productName": "Three"}, ["record.changed catalog"]),
    ("PATCH", "/records/catalog/p1", {"productName": "Three"}, []),
    ("DELETE", "/records/catalog/p1", None, ["record.deleted catalog"]),
    ("PUT", "/records/gadgets/g1", {"sku": "g1"}, ["record.created gadgets"]),
    ("DELETE", "/records/gadgets/g1", None, ["record.deleted gadgets"]),
    ("DELETE", "/types/gadgets", None, ["type.deleted None"]),
    ("POST", "/exports", {"type": "contacts", "name": "all"}, ["export.started all"]),
    ("POST", "/exports/{exports}/cancel", None, ["export.cancelled all"]),
    ("POST", "/exports/{exports}/cancel", None, []),
    ("DELETE", "/exports/{exports}", None, ["export.deleted all"]),
]


@pytest.fixture
async def log(client: httpx.AsyncClient, a_key: NewAccount, deeds: Deeds) -> Log:
    account = await a_key(["admin"])
    return Log(client, account, deeds, seen=(await deeds(account.id))[-1]["id"])


async def test_whatever_the_api_changes_is_noted_and_nothing_else(log: Log) -> None:
    for method, path, body, expected in STEPS:
        noted = await log.send(method, path, **({} if body is None else {"json": body}))
        assert noted == [each.format(account=log.account.name) for each in expected], (method, path)


async def test_decisions_about_runs_are_noted_and_what_a_worker_does_is_not(log: Log, runtime: Runtime) -> None:
    file = {"file": ("people.csv", b"_email,_name\na@example.org,A\nb,B\n", "text/csv")}

    async def started(path: str, **given: Any) -> str:
        noted = await log.send("POST", path, **given)
        log.ids["run"] = log.answers[-1].json()["id"]
        await http.finish(runtime, log.ids["run"])
        return " ".join(noted)

    assert await started("/imports", data=http.PARTS | {"dryRun": "true"}, files=file) == "import.started people.csv"
    assert await log.send("POST", "/imports/{run}/commit") == ["import.committed people.csv"]
    await http.finish(runtime, log.ids["run"])
    assert await log.told() == []
    assert await started("/imports/{run}/rerun", files=file) == "import.rerun people.csv"
    assert await started("/imports", data=http.PARTS | {"maxErrors": "0"}, files=file) == "import.started people.csv"
    assert await log.send("POST", "/imports/{run}/resume") == ["import.resumed people.csv"]
    await http.finish(runtime, log.ids["run"])
    assert await started("/imports/{run}/retry") == "import.retried people.csv"
    assert await log.send("POST", "/runs/{run}/cancel") == ["import.cancelled people.csv"]
    assert await log.send("DELETE", "/imports/{run}") == ["import.deleted people.csv"]


async def test_what_is_refused_or_rolled_back_is_not_noted(log: Log) -> None:
    await log.send("POST", "/connections", json=PLACE)
    headers = log.account.headers
    again = await log.client.post("/connections", headers=headers, json=PLACE)
    missing = await log.client.delete("/mappings/none", headers=headers)
    assert (again.status_code, missing.status_code) == (409, 404)
    assert await log.told() == []


async def test_no_secret_is_in_the_log(log: Log) -> None:
    await log.send("POST", "/connections", json=PLACE)
    await log.send("PUT", "/connections/{connections}", json=PLACE | {"password": f"{SECRET} too"})
    await log.send("POST", "/webhooks", json=HOOK)
    await log.send("PUT", "/webhooks/{webhooks}", json=HOOK | {"url": f"https://b.example.com/{SECRET}"})
    await log.send("POST", "/webhooks/{webhooks}/rotate")
    await log.send("POST", "/keys", json={"label": "other", "scopes": ["imports:read"]})
    await log.send("POST", "/people", json=PERSON)
    await log.send("POST", "/v1/oauth/token", data={"grant_type": "client_credentials"})
    given = [each.json() for each in log.answers if each.content]
    secrets = {SECRET, log.account.key.split(":")[1]}
    secrets |= {each["secret"] for each in given if "secret" in each} | {
        each["link"].split("/")[-1] for each in given if "link" in each
    }
    secrets |= {each["key"].split(":")[1] for each in given if "key" in each}
    secrets |= {each["access_token"] for each in given if "access_token" in each}
    assert len(secrets) == 7
    rows = str(await log.deeds(log.account.id))
    assert "shop" in rows
    assert not [each for each in secrets if each in rows]


async def test_an_account_learns_nothing_of_who_has_not_taken_its_invitation(
    a_key: NewAccount, deeds: Deeds, runtime: Runtime
) -> None:
    own, other = await a_key(["admin"]), await a_key(["admin"])
    ada = await make_person(runtime.database, own.name, "admin")
    async with runtime.database.transaction() as session:
        await members.add_member(session, person_id=ada.id, account_id=other.id, role="viewer", created_by=None)
    counted = [len(await deeds(each.id)) for each in (own, other)]
    async with runtime.database.transaction() as session:
        await members.set_password(session, ada.id, "another")
        for account_id in (None, own.id, other.id):
            hashed = f"link {account_id}".encode()
            await links.add(session, hashed, person_id=ada.id, account_id=account_id, resets=False, seconds=60)
    (changed, *made), sent = [(await deeds(each.id))[seen:] for each, seen in zip((own, other), counted, strict=True)]
    assert (changed["action"], changed["fields"]) == ("person.changed", ["password"])
    assert [row["action"] for row in made] == ["person.link_made"] * 2
    assert [row["action"] for row in sent] == ["person.link_made"]  # its own
