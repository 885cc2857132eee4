"""A form of a page that starts a run once, however often its button is pressed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from secrets import token_urlsafe
from typing import Final

import msgspec

from app.auth.caller import Caller
from app.auth.identity import Identity
from app.errors import Refused
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.database import Session
from app.storage.idempotency import keys

TOKEN_CHARACTERS: Final = 64  # at most; the page makes shorter ones
TWICE: Final = "This form has been sent twice, and was taken once"


def new_token() -> str:
    """What a page puts into its form: the same form sent again is known by it."""
    return token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class SentForm:
    """One request with a form. Sent again unchanged it leads to the run that it has started; changed, it starts another
    one: that is what somebody wants who goes back and corrects it."""

    runtime: Runtime
    caller: Caller
    request_id: str
    key: str

    async def find_run(self) -> str | None:
        """The id of the run that the form has started already."""
        async with self.runtime.database.read() as session:
            row = await keys.get(session, self.caller.account_id, self.key)
        return None if row is None or row["body"] is None else bytes(row["body"]).decode()

    @property
    def sender(self) -> Identity:
        """The caller's identity, for what stores the run."""
        return replace(self.caller.identity, keep_answer=self._keep)

    async def _keep(self, session: Session, runs: Sequence[Run]) -> None:
        """Of several requests at a time the others wait here for the first, and raise
        Refused("idempotency_key_in_use")."""
        kept = {"fingerprint": b"", "status": 303, "headers": {}, "body": runs[0].id.encode()}
        if not await keys.keep(session, self.caller.account_id, self.key, self.request_id, kept):
            raise Refused("idempotency_key_in_use", TWICE)


def read_form_once(
    runtime: Runtime, caller: Caller, request_id: str, fields: Mapping[str, str], token: str
) -> SentForm:
    """`token` is the field that `new_token` has filled. Without it every request is another one."""
    digest = hashlib.sha256(msgspec.json.encode(sorted(fields.items()))).hexdigest()
    key = f"form:{token[:TOKEN_CHARACTERS] or new_token()}:{digest}"
    return SentForm(runtime, caller, request_id, key)
