"""`sluice webhook …`: has an address told when runs have ended or are held, and shows what it was sent."""

import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

import httpx
import typer

from app.cli.client.failures import RequestFailed
from app.cli.client.http import build_path, connect, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Url
from app.cli.client.printing import print_facts, print_json, print_line, print_note, show_time
from app.cli.client.tables import TableColumn, print_table

webhooks = typer.Typer()

NameOrId = Annotated[str, typer.Argument(metavar="NAME", help="Name or id of the webhook")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the new webhook")]
Address = Annotated[str, typer.Argument(metavar="URL", help="Where messages are sent, https://…")]
Events = Annotated[
    list[str] | None, typer.Option("--event", help="What it is told of, can be repeated: run.finished …; default: all")
]
OnlyNamed = Annotated[bool, typer.Option("--only-named", help="Tell it only of runs that name it")]
OldHours = Annotated[
    int | None, typer.Option("--old-hours", help="For how many hours the secret before signs, too; default: 24")
]
MessageId = Annotated[str, typer.Argument(metavar="MESSAGE", help="Id of the message, as `deliveries` lists it")]
INCOMPLETE: Final = 1  # the receiver has not taken the test
TEST_SECONDS: Final = 20.0  # for which a test waits: longer than a receiver may take
LOOK_SECONDS: Final = 0.3


def show_state(webhook: Mapping[str, Any]) -> str:
    return "on" if webhook["enabled"] else webhook.get("disabledBecause") or "off"


LISTED: Final = (
    TableColumn("ID", "id"),
    TableColumn("NAME", "name", cut=True),
    TableColumn("URL", "url", cut=True),
    TableColumn("EVENTS", lambda each: " ".join(each["events"]), wraps=True),
    TableColumn("STATE", show_state),
)
DELIVERIES: Final = (
    TableColumn("MESSAGE", "id"),
    TableColumn("EVENT", "event"),
    TableColumn("RUN", "runId", spare=True),
    TableColumn("STATUS", "status"),
    TableColumn("TRIES", "tries", number=True),
    TableColumn("CREATED", "createdAt", show=show_time),
    TableColumn("NEXT", "nextTryAt", show=show_time),
    TableColumn("LAST", "lastReason", cut=True),
)


@webhooks.command("list")
def list_webhooks(*, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """List the webhooks, ordered by name."""
    with connect(url, key, as_json=as_json) as client:
        listed = get_object(client, "webhooks")
    if as_json:
        print_json(listed)
    else:
        print_table(LISTED, listed["results"])


@webhooks.command("create")
def create_webhook(
    name: NewName,
    address: Address,
    *,
    event: Events = None,
    only_named: OnlyNamed = False,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Have an address told when runs have ended or are held. The secret is shown only now."""
    body: dict[str, Any] = {"name": name, "url": address, "onlyNamed": only_named}
    body |= {"events": event} if event else {}
    with connect(url, key, as_json=as_json) as client:
        print_webhook(read_object(request(client, "POST", "webhooks", json=body)), as_json=as_json)


def print_webhook(webhook: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(webhook)
        return
    print_facts(
        {
            "ID": webhook["id"],
            "Name": webhook["name"],
            "URL": webhook["url"],
            "Events": " ".join(webhook["events"]),
            "Runs": "those that name it" if webhook["onlyNamed"] else "all",
            "State": show_state(webhook),
            "Secret": webhook.get("secret"),
        }
    )


def find_webhook(client: httpx.Client, name_or_id: str) -> dict[str, Any]:
    """Raises RequestFailed if there is none."""
    stored = get_object(client, "webhooks")["results"]
    for member in ("id", "name"):
        for each in stored:
            if each[member] == name_or_id:
                return dict(each)
    detail = f'There is no webhook with the name or id "{name_or_id}"'
    raise RequestFailed({"status": 404, "title": "Not found", "detail": detail})


def path_of(client: httpx.Client, name_or_id: str, *more: str) -> str:
    return build_path("webhooks", find_webhook(client, name_or_id)["id"], *more)


@webhooks.command("test")
def send_test(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Send a message of the type webhook.test, and wait until it is taken.

    Exit codes: 0 if the receiver has taken it, 1 if it has not.
    """
    with connect(url, key, as_json=as_json) as client:
        path = path_of(client, name)
        message = read_object(request(client, "POST", f"{path}/test"))
        until = time.monotonic() + TEST_SECONDS
        while message["status"] == "pending" and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
            message = get_object(client, f"{path}/deliveries/{message['id']}")
    if as_json:
        print_json(message)
    elif message["status"] == "delivered":
        print_line(f"The receiver has taken the message {message['id']}")
    if message["status"] != "delivered":
        print_note(message.get("lastReason") or "No worker has sent the message yet. Is one running?")
        raise typer.Exit(INCOMPLETE)


@webhooks.command("rotate")
def rotate_webhook(
    name: NameOrId, *, old_hours: OldHours = None, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Give a webhook a new secret, which is shown only now. For a while messages are signed with both."""
    body = {} if old_hours is None else {"oldSecretHours": old_hours}
    with connect(url, key, as_json=as_json) as client:
        rotated = read_object(request(client, "POST", path_of(client, name, "rotate"), json=body))
    print_webhook(rotated, as_json=as_json)


@webhooks.command("enable")
def enable_webhook(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Go on telling a webhook that was switched off."""
    switch_webhook(name, enabled=True, url=url, key=key, as_json=as_json)


@webhooks.command("disable")
def disable_webhook(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Tell a webhook nothing until it is enabled again."""
    switch_webhook(name, enabled=False, url=url, key=key, as_json=as_json)


def switch_webhook(name: str, *, enabled: bool, url: str, key: str, as_json: bool) -> None:
    with connect(url, key, as_json=as_json) as client:
        webhook = find_webhook(client, name)
        path = build_path("webhooks", webhook["id"])
        switched = read_object(request(client, "PUT", path, json={**webhook, "enabled": enabled}))
    print_webhook(switched, as_json=as_json)


@webhooks.command("deliveries")
def list_deliveries(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """List the last 100 messages to a webhook, newest first."""
    with connect(url, key, as_json=as_json) as client:
        listed = get_object(client, path_of(client, name, "deliveries"), limit=100)
    if as_json:
        print_json(listed)
    else:
        print_table(DELIVERIES, listed["results"])


@webhooks.command("replay")
def replay_delivery(
    name: NameOrId, message: MessageId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Send a message again, under the same id."""
    with connect(url, key, as_json=as_json) as client:
        again = read_object(request(client, "POST", path_of(client, name, "deliveries", message, "replay")))
    if as_json:
        print_json(again)
    else:
        print_line(f"The message {again['id']} is sent again")


@webhooks.command("remove")
def remove_webhook(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Delete a webhook, with everything that was, or was to be, sent to it."""
    with connect(url, key, as_json=as_json) as client:
        request(client, "DELETE", path_of(client, name))
    if not as_json:
        print_line(f"Webhook {name} is deleted")
