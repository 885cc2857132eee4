"""The second step of a draft: which type or template, how the file is read, what happens to what is there."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from app.auth.identity import Identity
from app.declarations.types import ensure_type
from app.drafts.begin import READING, store
from app.drafts.columns.choice import FORGOTTEN
from app.drafts.draft import STEPS, Draft, Step
from app.drafts.facts import FileFacts, FileReading, facts_to_json
from app.drafts.file import read_again
from app.errors import Complaint, Refused
from app.imports.submissions.from_connection import build_options, find_mapping, read_wanted
from app.mappings.declaring.options import DEFAULTS, OPTIONS, find_changed
from app.mappings.mapping import Mapping as ColumnMapping
from app.mappings.templates.stored import find_template
from app.runtime import Runtime
from app.storage.database import ReadSession

# How a file is read is copied from a template into the choices; of the rest a choice counts more than a template.
OF_IMPORT: Final = tuple(name for name in (*OPTIONS, "couponSetId") if name not in READING)
OF_MAPPING: Final = ("mappingId", *FORGOTTEN)  # choices that go with the template or type
# Choices that no request has: a mapping says them, or they are about how a person came to it.
OF_DRAFTS: Final = ("hasHeader", "basedOn", "settled", "copied")
NOTHING_CHOSEN: Final = "Choose a mapping template or a record type"


def tell_use(choices: Mapping[str, Any]) -> str:
    """What a draft has chosen: `template:ID`, `type:NAME`, or "" for nothing yet."""
    template = choices.get("mappingId") or choices.get("basedOn")
    if template:
        return f"template:{template}"
    return f"type:{choices['type']}" if choices.get("type") else ""


async def find_usable_mapping(session: ReadSession, draft: Draft) -> ColumnMapping | None:
    """The mapping that a draft has chosen; None, too, if its template was deleted or is for another type meanwhile."""
    with suppress(Refused):
        return await find_mapping(session, draft.account_id, draft.choices)
    return None


def find_options(choices: Mapping[str, Any], mapping: ColumnMapping | None) -> dict[str, Any]:
    """What counts: what somebody has chosen, else what the mapping says, else DEFAULTS; "" for none."""
    counting = {**DEFAULTS, **(mapping.options if mapping else {}), **choices}
    return {name: counting.get(name, "") for name in OF_IMPORT}


async def choose_type(
    runtime: Runtime, draft: Draft, sender: Identity, use: str, given: Mapping[str, Any], *, required: bool
) -> Draft:
    """`use` is as `tell_use` has it; unless it is `required` it may be "", while the reading is tried out. `given` has
    members of READING and OF_IMPORT, "" for none; what is as it was shown is not taken for a choice. The file is read
    again if that is needed.

    Raises Refused: invalid (names members), not_found, not_authenticated, and what reading a file raises.
    """
    if required and not use:
        raise nothing_chosen()
    async with runtime.database.read() as session:
        before = await find_usable_mapping(session, draft)
    choices = await choose_use(runtime, draft, use)
    choices = merge(choices, find_changed({**draft.choices, **find_options(draft.choices, before)}, given))
    async with runtime.database.read() as session:
        mapping = await find_mapping(session, draft.account_id, choices)
    build_options(read_wanted({"path": "", "type": "", **choices}, mapping))
    facts = draft.facts
    if FileReading.from_choices(choices) != FileReading.from_choices(draft.choices):
        facts = await read_again(runtime, draft, choices, draft.sheet)
    if facts and draft.facts and facts.header != draft.facts.header:
        choices = merge(choices, {"mapping": None})  # it is about other columns
    columns = {"choices": choices, "facts": facts_to_json(facts), "step": find_step(draft, choices, facts)}
    return await store(runtime, draft.account_id, sender, draft, columns)


def find_step(draft: Draft, choices: Mapping[str, Any], facts: FileFacts | None) -> Step:
    """The step that is reached with a type. A file that was not looked at can always go on."""
    reached: Step = "columns" if facts else "run"
    return max(draft.step, reached if choices.get("type") else draft.step, key=STEPS.index)


def merge(choices: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The choices with more of them; none and "" take one back."""
    return {name: value for name, value in {**choices, **more}.items() if value is not None and value != ""}


async def choose_use(runtime: Runtime, draft: Draft, use: str) -> dict[str, Any]:
    """The choices with this template or type. What was mapped for another one is let go. What a template says of how a
    file is read counts where nothing was chosen."""
    if use == tell_use(draft.choices):
        return dict(draft.choices)
    kind, _, name = use.partition(":")
    without: dict[str, Any] = {each: value for each, value in draft.choices.items() if each not in OF_MAPPING}
    async with runtime.database.read() as session:
        if kind == "type" and name:
            await ensure_type(session, draft.account_id, name)
            return without | {"type": name}
        template = await find_template(session, draft.account_id, name) if kind == "template" else None
    if template is None:
        raise nothing_chosen()
    mapping = await asyncio.to_thread(template.as_mapping)
    reading = {each: value for each, value in mapping.options.items() if each in READING}
    if not mapping.has_header:
        reading["hasHeader"] = False
    return {**reading, **without, "type": template.type, "mappingId": template.id}


def nothing_chosen() -> Refused:
    return Refused("invalid", NOTHING_CHOSEN, [Complaint("use", NOTHING_CHOSEN)])
