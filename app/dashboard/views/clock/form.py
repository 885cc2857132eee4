"""The forms of schedules and feeds: their fields, and the bodies that the API would be sent."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.datastructures import FormData

from app.dashboard.forms import text_of
from app.dashboard.views.clock.rhythm import Rhythm, read_cron
from app.errors import Complaint
from app.feeds.feed import Feed
from app.schedules.schedule import Schedule, ScheduleKind
from app.transports.afterwards import MOVE, parse_afterwards
from app.web.declared.schedules import TARGETS

DEFAULT: Final = "default"  # no template
# A complaint about a member -> the field of the form.
FIELDS: Final = {
    "request.path": "path",
    "request.type": "type",
    "request.mappingId": "mappingId",
    "request.destinations[0].connectionId": "destinationId",
    "request.destinations[0].path": "destinationPath",
    "request.destinations[0]": "destinationPath",
    "request.mode": "mode",
}
SCHEDULE_FIELDS: Final = (
    "name", "rhythm", "time", "cron", "timezone", "connectionId", "syncId", "path", "type", "mappingId", "mode",
    "format", "destinationId", "destinationPath",
)  # fmt: skip
FEED_FIELDS: Final = (
    "name", "connectionId", "path", "type", "mappingId", "every", "afterwards", "folder", "onFailed", "failedFolder",
)  # fmt: skip
INTERVALS: Final = {10: "10 seconds", 60: "Minute", 300: "5 minutes", 900: "15 minutes", 3_600: "Hour", 86_400: "Day"}
AFTERWARDS: Final = (
    ("keep", "Stays where it is", ""),
    ("move", "Is moved to a folder", ""),
    ("delete", "Is deleted", ""),
)
FORMATS: Final = [("", "CSV, or what the template says"), ("csv", "CSV"), ("jsonl", "JSON Lines")]
SYNC_MODES: Final = [("", "As the item sync says"), ("incremental", "Incremental"), ("full", "Full")]


def read_values(form: FormData, names: Sequence[str]) -> dict[str, Any]:
    """The fields as they were sent, to be shown again."""
    return {name: text_of(form, name) for name in names}


def values_of_schedule(schedule: Schedule | None, given: Mapping[str, str]) -> dict[str, Any]:
    """The values of the fields; `given` are those that a new one begins with."""
    values: dict[str, Any] = dict.fromkeys(SCHEDULE_FIELDS, "")
    if schedule is None:
        return values | {"rhythm": "day", "time": "02:00", "timezone": "UTC", "mappingId": DEFAULT, **given}
    rhythm, request = read_cron(schedule.cron), schedule.request
    destination: Mapping[str, Any] = next(iter(request.get("destinations") or []), {})
    target = {f"{'connectionId' if schedule.kind == 'import' else 'syncId'}": schedule.target or ""}
    return (
        values
        | target
        | {
            "name": schedule.name,
            "rhythm": rhythm.rhythm,
            "time": rhythm.time,
            "cron": rhythm.cron,
            "timezone": schedule.timezone,
            "path": request.get("path", ""),
            "type": request.get("type", ""),
            "mappingId": request.get("mappingId") or DEFAULT,
            "mode": request.get("mode") or "",
            "format": request.get("format") or "",
            "destinationId": destination.get("connectionId", ""),
            "destinationPath": destination.get("path", ""),
        }
    )


def build_schedule(
    kind: ScheduleKind, values: Mapping[str, str], schedule: Schedule | None
) -> tuple[dict[str, Any], list[Complaint]]:
    """As `PUT /schedules/{id}` takes it, and what is wrong with time and type. What the form does not show stays."""
    cron, mistakes = Rhythm(values["rhythm"], values["time"], values["cron"]).build_cron()
    body: dict[str, Any] = {
        "name": values["name"],
        "kind": kind,
        "cron": cron,
        "timezone": values["timezone"],
        "request": BUILD[kind](values, dict(schedule.request) if schedule else {}),
    }
    target = {"import": "connectionId", "sync": "syncId"}.get(kind)
    missing = [] if kind == "sync" else find_missing(values)
    return body | ({target: values[target]} if target else {}), [*mistakes, *missing]


def find_missing(values: Mapping[str, str]) -> list[Complaint]:
    """A type is needed where no template has one."""
    if values["type"] or values["mappingId"] not in ("", DEFAULT):
        return []
    return [Complaint("type", "Choose a type, or a mapping template, which has one")]


def request_import(values: Mapping[str, str], kept: dict[str, Any]) -> dict[str, Any]:
    """A mapping that the API has sent along stays, unless a template is chosen."""
    wanted = kept | {"path": values["path"], "type": values["type"]}
    return choose_mapping({name: value for name, value in wanted.items() if value != ""}, values["mappingId"])


def choose_mapping(request: dict[str, Any], mapping_id: str) -> dict[str, Any]:
    if mapping_id in ("", DEFAULT):
        return {name: value for name, value in request.items() if name != "mappingId"}
    return {name: value for name, value in request.items() if name != "mapping"} | {"mappingId": mapping_id}


def request_export(values: Mapping[str, str], kept: dict[str, Any]) -> dict[str, Any]:
    """The form shows the first destination; more that the API has set stay."""
    others = list(kept.get("destinations") or [])[1:]
    first = {"connectionId": values["destinationId"], "path": values["destinationPath"]}
    destinations = [*([first] if values["destinationId"] else []), *others]
    shown = {"type": values["type"], "format": values["format"], "destinations": destinations}
    left = {name: value for name, value in kept.items() if name not in shown}
    return choose_mapping(left | {name: value for name, value in shown.items() if value}, values["mappingId"])


def request_sync(values: Mapping[str, str], kept: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kept.items() if name != "mode"} | (
        {"mode": values["mode"]} if values["mode"] else {}
    )


BUILD: Final = {"import": request_import, "export": request_export, "sync": request_sync}


def values_of_feed(feed: Feed | None, connection_id: str = "") -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(FEED_FIELDS, "")
    if feed is None:
        first = {"every": 60, "afterwards": "keep", "onFailed": "keep", "mappingId": DEFAULT}
        return values | first | {"connectionId": connection_id}
    declared = feed.declared
    after, failed = parse_afterwards(declared.afterwards), parse_afterwards(declared.on_failed)
    return values | {
        "name": declared.name,
        "connectionId": declared.connection_id,
        "path": declared.path,
        "type": declared.request.get("type", ""),
        "mappingId": declared.request.get("mappingId") or DEFAULT,
        "every": declared.every,
        "afterwards": after.action,
        "folder": declared.afterwards.removeprefix(MOVE) if after.folder else "",
        "onFailed": failed.action,
        "failedFolder": declared.on_failed.removeprefix(MOVE) if failed.folder else "",
    }


def build_feed(values: Mapping[str, str], feed: Feed | None) -> dict[str, Any]:
    """As `PUT /feeds/{id}` takes it. What the form does not show stays."""
    every = values["every"]
    return {
        "name": values["name"],
        "connectionId": values["connectionId"],
        "request": request_import(values, dict(feed.declared.request) if feed else {}),
        "every": int(every) if every.isdecimal() else every,
        "afterwards": join_folder(values["afterwards"], values["folder"]),
        "onFailed": join_folder(values["onFailed"], values["failedFolder"]),
    }


def join_folder(action: str, folder: str) -> str:
    return f"{MOVE}{folder}" if action == "move" else action


def body_of_schedule(schedule: Schedule) -> dict[str, Any]:
    """What the API would be sent for the same."""
    wire = {"connection_id": "connectionId", "sync_id": "syncId"}
    target = {wire[TARGETS[schedule.kind]]: schedule.target} if schedule.kind in TARGETS else {}
    return {
        "name": schedule.name,
        "kind": schedule.kind,
        **target,
        "request": dict(schedule.request),
        "cron": schedule.cron,
        "timezone": schedule.timezone,
    }


def body_of_feed(feed: Feed) -> dict[str, Any]:
    declared = feed.declared
    return {
        "name": declared.name,
        "connectionId": declared.connection_id,
        "request": dict(declared.request),
        "every": declared.every,
        "afterwards": declared.afterwards,
        "onFailed": declared.on_failed,
    }
