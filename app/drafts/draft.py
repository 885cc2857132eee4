"""A draft: what somebody has chosen so far for an import. It is made, read, changed and discarded."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any, Final, Literal

from app.connections.pull import Pull, describe_pull, pull_from_json, pull_to_json
from app.drafts.facts import FileFacts, read_facts
from app.errors import Refused
from app.runs.deletion import delete_unowned
from app.runs.holding.brakes import BRAKES
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.access import accounts
from app.storage.blobs import BlobsUnavailable
from app.storage.database import DatabaseUnavailable, ReadSession, Session
from app.storage.drafts import rows
from app.vault import VaultError
from app.workbooks.workbook import ReadSheet

HOURS: Final = 24  # that a draft is kept after its last change
MOST_DRAFTS: Final = 20  # of an account; each may have a file
PREFIX: Final = "draft_"
TEMPLATE: Final = "template"  # `purpose` among the choices of a draft that no import comes of
Step = Literal["source", "type", "columns", "check", "run"]
STEPS: Final[tuple[Step, ...]] = ("source", "type", "columns", "check", "run")
# Of the last step.
OF_RUN: Final = ("onError", "undoable", "ifSameFile", *(brake.name for brake in BRAKES.values()))
LAST_CHOICES: Final = frozenset(("name", "confirmEmail", *OF_RUN))
TOO_MANY: Final = f"{MOST_DRAFTS} imports are unfinished. Finish or discard one of them, then begin another"


@dataclass(frozen=True, slots=True)
class Draft:
    """A half-made import. `choices` are members of the body of `POST /connections/{id}/imports`, with `mapping` as
    `POST /mappings` takes it, and with `hasHeader` and `couponSetId`. Its file is stored as it was sent; of a file that
    is elsewhere at most the beginning is."""

    id: str
    account_id: AccountId
    step: Step  # the next one to be done
    choices: Mapping[str, Any]
    facts: FileFacts | None  # None: nothing of the file has been read
    file_name: str | None
    file_bytes: int | None
    file_sha256: str | None
    blob: str | None
    blob_digests: bytes | None = field(repr=False)
    source: Mapping[str, Any] | None  # where the file is, as everybody may see it; None: it was uploaded
    secret: bytes | None = field(repr=False)
    checked: Mapping[str, Any] | None  # what the last test of the source has shown
    created_by: str | None
    parent_id: str | None  # the import that is run again
    run_id: str | None  # the import that has come of it
    changed_at: datetime
    expires_at: datetime

    @property
    def is_upload(self) -> bool:
        return self.source is None

    @property
    def has_file(self) -> bool:
        """Whether a file was sent or named."""
        return self.source is not None or self.blob is not None

    @property
    def type(self) -> str:
        """The record type, "" until one is chosen."""
        return str(self.choices.get("type") or "")

    @property
    def name(self) -> str:
        """What people call it: the name that its run will have, or else that of its file."""
        return str(self.choices.get("name") or self.file_name or "An import without a file")

    @property
    def file_mark(self) -> str:
        """Another one for each other file, reading of it or record type. A page says which of them it has shown: what
        is chosen there by the numbers of columns is not for another one."""
        return mark(self.blob, self.source, self.facts, self.type)

    @property
    def sheet(self) -> ReadSheet | None:
        """Of a workbook, of which the file is the CSV."""
        return self.facts.sheet if self.facts else None

    @property
    def whole_mark(self) -> str:
        """Another one for each change, but those of the last step."""
        choices = {name: value for name, value in sorted(self.choices.items()) if name not in LAST_CHOICES}
        return mark(self.file_mark, choices)

    def has_reached(self, step: Step) -> bool:
        """Whether a step is done, or the next one."""
        return STEPS.index(step) <= STEPS.index(self.step)


@dataclass(frozen=True, slots=True)
class DraftItem:
    """A draft as lists show it."""

    id: str
    name: str
    step: Step
    created_by: str | None
    changed_at: datetime
    expires_at: datetime
    for_template: bool  # a mapping template comes of it, and no import


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A stored file that a draft is to have, as it was sent."""

    blob: str
    digests: bytes
    name: str | None
    size: int
    sha256: str
    sheet: ReadSheet | None  # of a workbook, of which it is the CSV

    def columns(self) -> dict[str, Any]:
        return {
            "blob": self.blob,
            "blob_digests": self.digests,
            "file_name": self.name,
            "file_bytes": self.size,
            "file_sha256": self.sha256,
        }


NO_FILE: Final = dict.fromkeys(("blob", "blob_digests", "file_name", "file_bytes", "file_sha256", "facts"))
NO_SOURCE: Final = dict.fromkeys(("source", "secret", "checked"))


def mark(*parts: Any) -> str:
    """A short text that is another one for other parts."""
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def new_draft_id() -> str:
    return f"{PREFIX}{token_hex(12)}"


async def add_draft(session: Session, account_id: AccountId, values: Mapping[str, Any]) -> Draft:
    """Stores a new draft; `values` are columns. Raises Refused("queue_full") if the account has too many."""
    await accounts.lock(session, account_id)
    await ensure_few_drafts(session, account_id)
    filled = {"id": new_draft_id(), "account_id": account_id, "step": "source", "choices": {}, **values}
    return draft_from(await rows.add(session, filled, hours=HOURS))


async def ensure_few_drafts(session: ReadSession, account_id: AccountId) -> None:
    """Refuses before a file is read what `add_draft` would refuse afterwards. Raises Refused("queue_full")."""
    if await rows.count_open(session, account_id) >= MOST_DRAFTS:
        raise Refused("queue_full", TOO_MANY)


async def load_draft(session: ReadSession, account_id: AccountId, draft_id: str) -> Draft:
    """Also one that a run has come of. Raises Refused("not_found")."""
    row = await rows.get(session, account_id, draft_id)
    if row is None:
        raise not_found()
    return draft_from(row)


async def list_drafts(session: ReadSession, account_id: AccountId) -> Sequence[DraftItem]:
    """The account's unfinished drafts, last changed first."""
    return [
        DraftItem(
            row["id"],
            row["name"] or row["file_name"] or "An import without a file",
            row["step"],
            row["created_by"],
            row["changed_at"],
            row["expires_at"],
            for_template=row["purpose"] == TEMPLATE,
        )
        for row in await rows.list_open(session, account_id)
    ]


async def change_draft(session: Session, draft: Draft, values: Mapping[str, Any]) -> Draft:
    """Gives columns of a draft other values. Raises Refused("not_found") if it is done or gone meanwhile."""
    row = await rows.change(session, draft.account_id, draft.id, values, hours=HOURS)
    if row is None:
        raise not_found()
    return draft_from(row)


async def choose(session: Session, draft: Draft, choices: Mapping[str, Any], *, next_step: Step | None = None) -> Draft:
    """Replaces some choices; None takes one back. `next_step` is reached, unless a later one was before. Raises
    Refused("not_found")."""
    merged = {name: value for name, value in {**draft.choices, **choices}.items() if value is not None}
    reached = max(draft.step, next_step or draft.step, key=STEPS.index)
    return await change_draft(session, draft, {"choices": merged, "step": reached})


async def discard_draft(session: Session, account_id: AccountId, draft_id: str) -> str | None:
    """Deletes a draft. Returns the file that it had: `drop_files` it after the commit. Raises Refused("not_found")."""
    removed = await rows.remove(session, account_id, draft_id)
    if removed is None:
        raise not_found()
    return removed["blob"]  # type: ignore[no-any-return]


async def drop_files(runtime: Runtime, blobs: Iterable[str | None]) -> None:
    """Deletes files that no draft needs any more. What cannot be deleted now, the sweep deletes."""
    with suppress(BlobsUnavailable, DatabaseUnavailable):
        await delete_unowned(runtime, filter(None, blobs))


async def drop_expired(runtime: Runtime) -> None:
    """Deletes drafts that nobody has gone on with in time, with their files."""
    async with runtime.database.transaction() as session:
        blobs = await rows.delete_expired(session)
    await delete_unowned(runtime, blobs)


def source_columns(runtime: Runtime, draft_id: str, pull: Pull) -> dict[str, Any]:
    """The columns of a file that is elsewhere. Over a stored connection nothing of it is kept but its id and the
    path."""
    source = describe_pull(pull) | {"path": pull.path if pull.connection_id else describe_pull(pull)["path"]}
    sealed = None if pull.connection_id else runtime.vault.seal(pull_to_json(pull), bound_to=bind_seal(draft_id))
    return {"source": source, "secret": sealed, "checked": None}


def open_source(runtime: Runtime, draft: Draft) -> Pull:
    """The file that a draft names, unless it is at a stored connection. Raises Refused("secrets_locked")."""
    try:
        return pull_from_json(runtime.vault.open(draft.secret or b"", bound_to=bind_seal(draft.id)))
    except VaultError as locked:
        raise Refused("secrets_locked", f"{locked}. Enter the server again") from None


def bind_seal(draft_id: str) -> str:
    """What the secrets are sealed to: copied to another draft they cannot be opened."""
    return f"draft:{draft_id}"


def draft_from(row: Mapping[Any, Any]) -> Draft:
    values = {name: row[name] for name in Draft.__dataclass_fields__}
    return Draft(**values | {"facts": None if row["facts"] is None else read_facts(row["facts"])})


def not_found() -> Refused:
    return Refused("not_found", "There is no such draft any more. Drafts are kept for 24 hours after their last change")
