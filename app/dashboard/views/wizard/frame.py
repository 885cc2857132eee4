"""What all steps of the wizard show: where one is, and what the file is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.dashboard.words import count_of, write_bytes
from app.drafts.draft import STEPS, Draft, DraftItem, Step
from app.drafts.facts import FileFacts

TITLES: Final[Mapping[Step, str]] = {
    "source": "Source",
    "type": "Type",
    "columns": "Columns",
    "check": "Check",
    "run": "Name and run",
}
DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
FORMATS: Final = {"csv": "CSV", "jsonl": "JSON Lines"}


@dataclass(frozen=True, slots=True)
class WizardFrame:
    """`steps` are title, address (None: not reached yet) and state, as the stepper takes them; `about` is the file in
    a line."""

    step: Step
    title: str
    base: str  # the address of the draft's pages
    steps: Sequence[tuple[str, str | None, str]]
    about: str


def show_frame(draft: Draft | None, step: Step) -> WizardFrame:
    base = "/app/imports/new" if draft is None else address_of(draft.id)
    reached = STEPS.index(draft.step if draft else "source")
    steps = []
    for index, each in enumerate(STEPS):
        state = "now" if each == step else "done" if index <= reached else "ahead"
        steps.append((TITLES[each], f"{base}/{each}" if state == "done" else None, state))
    return WizardFrame(step, TITLES[step], base, steps, "" if draft is None else tell_file(draft))


def address_of(draft_id: str) -> str:
    return f"/app/imports/new/{draft_id}"


def address_of_step(item: Draft | DraftItem) -> str:
    """Where somebody goes on with a draft."""
    return f"{address_of(item.id)}/{item.step}"


def tell_file(draft: Draft) -> str:
    """ "prices-08.csv · semicolon, UTF-8 · 600,000 rows" """
    name = draft.file_name or str((draft.source or {}).get("path", ""))
    parts = [name, *([tell_facts(draft.facts)] if draft.facts else ["not read yet"])]
    if draft.is_upload and draft.file_bytes is not None:
        parts.insert(1, write_bytes(draft.file_bytes))
    return " · ".join(filter(None, parts))


def tell_facts(facts: FileFacts) -> str:
    how = FORMATS[facts.format] if facts.format != "csv" else DELIMITERS[facts.delimiter]
    rows = "its beginning was read" if facts.rows is None else count_of(facts.rows, "row")
    return f"{how}, {tell_encoding(facts.encoding)} · {rows}"


def tell_encoding(encoding: str) -> str:
    return encoding.upper().replace("WINDOWS", "Windows")
