"""The secrets that sign messages, as the specification of Standard Webhooks prescribes.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.runs.model import AccountId
from app.vault import Vault

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32  # the specification asks for 24 to 64
MOST_SECRETS: Final = 3  # that sign at a time


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """One of the secrets of a webhook. `until` is None for the current one."""

    secret: str
    until: datetime | None = None

    @property
    def key(self) -> bytes:
        return base64.b64decode(self.secret.removeprefix(PREFIX))


def new_secret() -> SigningSecret:
    return SigningSecret(PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())


def rotate(known: Sequence[SigningSecret], *, now: datetime, until: datetime) -> list[SigningSecret]:
    """A new secret, and those that sign beside it for a while: the one that was current `until` then, and older ones as
    long as they were to. The newest comes first."""
    older = [each for each in known[1:] if each.until is not None and each.until > now]
    kept = [SigningSecret(known[0].secret, until)] if known and until > now else []
    return [new_secret(), *kept, *older][:MOST_SECRETS]


def sign(known: Sequence[SigningSecret], message_id: str, now: datetime, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each secret that is valid now, separated by blanks."""
    signed = b".".join((message_id.encode(), str(int(now.timestamp())).encode(), body))
    valid = (each for each in known if each.until is None or each.until > now)
    digests = (hmac.digest(each.key, signed, "sha256") for each in valid)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def seal_secrets(vault: Vault, account_id: AccountId, webhook_id: str, known: Sequence[SigningSecret]) -> bytes:
    listed: list[dict[str, Any]] = [
        {"secret": each.secret, "until": None if each.until is None else each.until.isoformat()} for each in known
    ]
    return vault.seal({"secrets": listed}, bound_to=seal_binding(account_id, webhook_id))


def open_secrets(vault: Vault, account_id: AccountId, webhook_id: str, sealed: bytes) -> list[SigningSecret]:
    """Raises VaultError."""
    listed = vault.open(sealed, bound_to=seal_binding(account_id, webhook_id))["secrets"]
    return [
        SigningSecret(each["secret"], None if each["until"] is None else datetime.fromisoformat(each["until"]))
        for each in listed
    ]


def seal_binding(account_id: AccountId, webhook_id: str) -> str:
    """What the secrets are sealed to: moved to another row, or to another account's, they cannot be opened."""
    return f"webhook:{account_id}:{webhook_id}"
