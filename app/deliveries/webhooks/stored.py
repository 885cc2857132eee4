"""The webhooks of an account: listed, loaded, created, replaced, deleted, given new secrets, and named by runs."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from secrets import token_hex
from typing import Any, Final

from app.deliveries.webhooks.declaration import WebhookDeclaration, build_columns, check_declaration
from app.deliveries.webhooks.secrets import SigningSecret, new_secret, open_secrets, rotate, seal_secrets
from app.deliveries.webhooks.webhook import PREFIX, Webhook, webhook_from
from app.errors import Complaint, Refused, shorten_name
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.access import accounts
from app.storage.database import ReadSession, Session
from app.storage.webhooks import webhooks
from app.vault import VaultError

MOST_WEBHOOKS: Final = 50  # of an account
OLD_SECRET_HOURS: Final = 24  # for which the secret before signs, too
MOST_OLD_HOURS: Final = 168


async def list_webhooks(session: ReadSession, account_id: AccountId) -> list[Webhook]:
    """All webhooks of the account, ordered by name."""
    return [webhook_from(row) for row in await webhooks.list_all(session, account_id)]


async def load_webhook(session: ReadSession, account_id: AccountId, webhook_id: str) -> Webhook:
    """Raises Refused("not_found")."""
    return webhook_from(await load_row(session, account_id, webhook_id))


async def load_row(session: ReadSession, account_id: AccountId, webhook_id: str) -> Mapping[Any, Any]:
    row = await webhooks.get(session, account_id, webhook_id)
    if row is None:
        raise Refused("not_found", "There is no webhook with this id")
    return row


async def create_webhook(
    session: Session, runtime: Runtime, account_id: AccountId, wanted: WebhookDeclaration
) -> tuple[Webhook, str]:
    """The new webhook, and its secret, which can be shown only once. Raises Refused: invalid, name_taken."""
    declared = check_declaration(wanted, plain=runtime.settings.webhook_http)
    await accounts.lock(session, account_id)
    others = await list_webhooks(session, account_id)
    if len(others) >= MOST_WEBHOOKS:
        raise Refused("invalid", f"An account can have {MOST_WEBHOOKS} webhooks. Delete one that nobody needs")
    refuse_taken_name(others, declared.name)
    webhook_id, secret = f"{PREFIX}{token_hex(12)}", new_secret()
    sealed = seal_secrets(runtime.vault, account_id, webhook_id, [secret])
    values = {"id": webhook_id, "account_id": account_id, "secret": sealed, **build_columns(declared)}
    return webhook_from(await webhooks.add(session, values)), secret.secret


async def replace_webhook(
    session: Session, runtime: Runtime, account_id: AccountId, webhook_id: str, wanted: WebhookDeclaration
) -> Webhook:
    """Gives a webhook other settings. Its secret stays, and what waits goes to the new address. Raises Refused:
    not_found, invalid, name_taken."""
    declared = check_declaration(wanted, plain=runtime.settings.webhook_http)
    await accounts.lock(session, account_id)
    await load_webhook(session, account_id, webhook_id)
    others = [each for each in await list_webhooks(session, account_id) if each.id != webhook_id]
    refuse_taken_name(others, declared.name)
    settled = {"disabled_code": None, "troubles": 0, "resting_until": None}
    return webhook_from(await webhooks.replace(session, account_id, webhook_id, {**build_columns(declared), **settled}))


def refuse_taken_name(others: Sequence[Webhook], name: str) -> None:
    if any(each.name == name for each in others):
        detail = f'There is already a webhook named "{name}"'
        raise Refused("name_taken", detail, [Complaint("name", detail)])


async def rotate_secret(
    session: Session, runtime: Runtime, account_id: AccountId, webhook_id: str, *, old_hours: int
) -> tuple[Webhook, str]:
    """The webhook, and its new secret, which can be shown only once. For `old_hours` the secret before signs beside it,
    so that a receiver can change to the new one when it likes. Raises Refused: not_found, invalid."""
    if not 0 <= old_hours <= MOST_OLD_HOURS:
        reason = f"`oldSecretHours` must be from 0 to {MOST_OLD_HOURS}"
        raise Refused("invalid", reason, [Complaint("oldSecretHours", reason)])
    await accounts.lock(session, account_id)
    row, now = await load_row(session, account_id, webhook_id), await runtime.now(session)
    known: list[SigningSecret] = []
    with suppress(VaultError):  # nobody has the key any more, and the new secret needs no old one
        known = open_secrets(runtime.vault, account_id, webhook_id, row["secret"])
    renewed = rotate(known, now=now, until=now + timedelta(hours=old_hours))
    sealed = seal_secrets(runtime.vault, account_id, webhook_id, renewed)
    changed = await webhooks.replace(session, account_id, webhook_id, {"secret": sealed})
    return webhook_from(changed), renewed[0].secret


async def delete_webhook(session: Session, account_id: AccountId, webhook_id: str) -> None:
    """Deletes a webhook with everything that was, or was to be, sent to it. Raises Refused("not_found")."""
    await accounts.lock(session, account_id)
    if not await webhooks.remove(session, account_id, webhook_id):
        raise Refused("not_found", "There is no webhook with this id")


async def ensure_webhook(session: ReadSession, account_id: AccountId, webhook_id: str | None) -> None:
    """Whether a caller may name the webhook; None: they name none. What was accepted goes on without a webhook that is
    deleted later: reruns and schedules do not ask. Raises Refused("invalid")."""
    if webhook_id is not None and await webhooks.get(session, account_id, webhook_id) is None:
        reason = f'There is no webhook "{shorten_name(webhook_id)}"'
        raise Refused("invalid", reason, [Complaint("webhookId", reason)])
