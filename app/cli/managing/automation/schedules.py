"""`sluice schedules …`: has imports from connections, exports and item syncs started by the clock."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from app.cli.client.connections import find_connection
from app.cli.client.failures import RequestFailed
from app.cli.client.files import read_json_file
from app.cli.client.http import build_path, connect, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Url
from app.cli.client.printing import print_facts, print_json, print_line, show_members, show_time
from app.cli.client.tables import TableColumn, print_table
from app.cli.managing.automation.item_syncs import find_sync

schedules = typer.Typer()

NameOrId = Annotated[str, typer.Argument(metavar="NAME", help="Name or id of the schedule")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the new schedule")]
Cron = Annotated[str, typer.Option("--cron", help="When: minute, hour, day of the month, month, day of the week")]
NewCron = Annotated[str | None, typer.Option("--cron", help="When: the five fields")]
Timezone = Annotated[str | None, typer.Option("--timezone", help="Whose clock it is, such as Europe/Amsterdam; or UTC")]
Connection = Annotated[
    str | None, typer.Option("--connection", help="Import from the connection with this name or id; default: an export")
]
Sync = Annotated[str | None, typer.Option("--sync", help="Run the item sync with this name or id")]
RequestFile = Annotated[
    Path | None,
    typer.Option("--request", help="JSON file with what is asked for; `-` for standard input; not needed with --sync"),
]
NewRequestFile = Annotated[Path | None, typer.Option("--request", help="JSON file with what is asked for instead")]
Rename = Annotated[str | None, typer.Option("--name", help="Another name for it")]


def show_next(schedule: Mapping[str, Any]) -> str:
    return show_utc(schedule.get("nextRunAt")) if schedule["enabled"] else "paused"


def show_utc(time: object) -> str:
    """Named, since the time of `cron` is that of the schedule's own zone."""
    return f"{show_time(time)} UTC" if time else ""


def last_of(schedule: Mapping[str, Any], member: str) -> Any:
    return schedule.get("lastResult", {}).get(member)


LISTED: Final = (
    TableColumn("ID", "id"),
    TableColumn("NAME", "name", cut=True),
    TableColumn("KIND", "kind"),
    TableColumn("CRON", "cron"),
    TableColumn("TIMEZONE", "timezone", spare=True),
    TableColumn("NEXT", show_next),
    TableColumn("LAST", lambda each: last_of(each, "status")),
    TableColumn("FAILURES", "failures", number=True),
)


@schedules.command("list")
def list_schedules(*, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """List the schedules, ordered by name. Times are in UTC."""
    with connect(url, key, as_json=as_json) as client:
        listed = get_object(client, "schedules")
    if as_json:
        print_json(listed)
    else:
        print_table(LISTED, listed["results"])


@schedules.command("show")
def show_schedule(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show a schedule: what it starts, when, and what has become of the last start."""
    with connect(url, key, as_json=as_json) as client:
        print_schedule(get_object(client, path_of(client, name)), as_json=as_json)


def path_of(client: httpx.Client, name_or_id: str, *more: str) -> str:
    return build_path("schedules", find_schedule(client, name_or_id)["id"], *more)


def find_schedule(client: httpx.Client, name_or_id: str) -> dict[str, Any]:
    """The schedule without what it requests. Raises RequestFailed if there is none."""
    stored = get_object(client, "schedules")["results"]
    for member in ("id", "name"):
        for each in stored:
            if each[member] == name_or_id:
                return dict(each)
    detail = f'There is no schedule with the name or id "{name_or_id}"'
    raise RequestFailed({"status": 404, "title": "Not found", "detail": detail})


def print_schedule(schedule: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(schedule)
        return
    print_facts(
        {
            "ID": schedule["id"],
            "Name": schedule["name"],
            "Kind": schedule["kind"],
            "Connection": schedule.get("connectionId"),
            "Item sync": schedule.get("syncId"),
            "Request": show_members(schedule["request"]),
            "Cron": schedule["cron"],
            "Timezone": schedule["timezone"],
            "Next": show_next(schedule),
            "Last result": last_of(schedule, "status"),
            "Planned for": show_utc(last_of(schedule, "plannedFor")),
            "Reason": last_of(schedule, "detail"),
            "Last run": show_members({schedule["lastRunId"]: schedule.get("lastRunStatus", "gone")})
            if "lastRunId" in schedule
            else None,
            "Failures": schedule["failures"],
        }
    )


@schedules.command("create")
def create_schedule(
    name: NewName,
    *,
    cron: Cron,
    request_file: RequestFile = None,
    timezone: Timezone = None,
    connection: Connection = None,
    sync: Sync = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Have an import from a connection, an export or an item sync started by the clock."""
    if request_file is None and sync is None:
        raise typer.TyperException("Say what is started: --request, with --connection for an import, or --sync")
    asked = {} if request_file is None else read_json_file(request_file)
    with connect(url, key, as_json=as_json) as client:
        kind = "import" if connection else "sync" if sync else "export"
        body = {"name": name, "kind": kind, "cron": cron, "request": asked}
        body |= {"timezone": timezone} if timezone else {}
        body |= {"connectionId": find_connection(client, connection)["id"]} if connection else {}
        body |= {"syncId": find_sync(client, sync)["id"]} if sync else {}
        print_schedule(read_object(request(client, "POST", "schedules", json=body)), as_json=as_json)


@schedules.command("put")
def put_schedule(
    name: NameOrId,
    *,
    new_name: Rename = None,
    cron: NewCron = None,
    timezone: Timezone = None,
    request_file: NewRequestFile = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Change a schedule. What no option changes stays."""
    changed: dict[str, Any] = {"name": new_name, "cron": cron, "timezone": timezone}
    changed = {member: value for member, value in changed.items() if value is not None}
    changed |= {"request": read_json_file(request_file)} if request_file else {}
    with connect(url, key, as_json=as_json) as client:
        path = path_of(client, name)
        body = {**get_object(client, path), **changed}
        print_schedule(read_object(request(client, "PUT", path, json=body)), as_json=as_json)


@schedules.command("next")
def show_next_runs(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show the next three times of a schedule, in UTC; none while it is paused."""
    with connect(url, key, as_json=as_json) as client:
        times = get_object(client, path_of(client, name))["nextRuns"]
    if as_json:
        print_json({"nextRuns": times})
        return
    for each in times:
        print_line(show_utc(each))


@schedules.command("pause")
def pause_schedule(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Start nothing until the schedule is resumed. What it has started goes on."""
    with connect(url, key, as_json=as_json) as client:
        paused = read_object(request(client, "POST", path_of(client, name, "pause")))
    print_schedule(paused, as_json=as_json)


@schedules.command("resume")
def resume_schedule(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Go on after a pause, at the next time by the clock."""
    with connect(url, key, as_json=as_json) as client:
        resumed = read_object(request(client, "POST", path_of(client, name, "resume")))
    print_schedule(resumed, as_json=as_json)


@schedules.command("delete")
def delete_schedule(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Delete a schedule. What it has started goes on."""
    with connect(url, key, as_json=as_json) as client:
        request(client, "DELETE", path_of(client, name))
    if not as_json:
        print_line(f"Schedule {name} is deleted")
