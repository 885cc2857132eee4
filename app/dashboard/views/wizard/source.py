"""The ways in which a file can come, and what a draft's file is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.connections.outcome import CheckStep
from app.connections.pull import WEB
from app.dashboard.views.connections.fields import FormField, list_fields, list_members
from app.dashboard.views.connections.steps import StepView, show_steps
from app.dashboard.views.wizard.frame import address_of, tell_facts
from app.drafts.draft import Draft

WAYS: Final[Mapping[str, str]] = {
    "upload": "Upload",
    "connection": "Stored connection",
    "s3": "S3",
    "sftp": "SFTP",
    "ftps": "FTPS",
    "ftp": "FTP",
    "https": "HTTPS",
    "http": "HTTP",
}
SHOWN_HEADINGS: Final = 12
PARTS_OF_ADDRESS: Final = ("host", "port")


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known of a draft's file. `where` is empty for an upload, `what` until something of it was read; `steps`
    are those of the last test, and `files` is how many match a pattern, as far as that tells."""

    where: str
    what: str
    headings: Sequence[str]
    more: int
    has_header: bool
    odd: Sequence[str]
    steps: Sequence[StepView]
    files: int | None


def show_ways(draft: Draft | None, chosen: str) -> list[tuple[str, str, bool]]:
    """Title, address, and whether it is the chosen one."""
    base = "/app/imports/new" if draft is None else f"{address_of(draft.id)}/source"
    return [(title, f"{base}?from={way}", way == chosen) for way, title in WAYS.items()]


def way_of(draft: Draft | None) -> str:
    if draft is None or draft.source is None:
        return "upload"
    return "connection" if "connection_id" in draft.source else str(draft.source["transport"])


def show_facts(draft: Draft) -> SourceFacts:
    source, facts, checked = draft.source or {}, draft.facts, draft.checked or {}
    server = source.get("bucket") or source.get("host", "")
    header = facts.header if facts else ()
    steps = [CheckStep(each["name"], each["detail"], each["error"]) for each in checked.get("steps", ())]
    return SourceFacts(
        where=f"{source['path']} at {server}" if source else "",
        what=tell_facts(facts) if facts else "",
        headings=header[:SHOWN_HEADINGS],
        more=max(0, len(header) - SHOWN_HEADINGS),
        has_header=facts is None or facts.has_header,
        odd=facts.odd if facts else (),
        steps=show_steps("import", steps),
        files=checked.get("files"),
    )


def list_source_members(way: str) -> list[str]:
    """What the form of a server asks for. On the web an address says host, port and path."""
    if way in WEB:
        return ["url", *(each for each in list_members(way) if each not in PARTS_OF_ADDRESS)]
    return [*list_members(way), "path"]


def list_source_fields(way: str) -> list[FormField]:
    """The same as fields, without the place of the file."""
    wanted = list_source_members(way) if way not in ("upload", "connection") else ()
    return [each for each in list_fields(way) if each.name in wanted] if wanted else []
