"""The API keys of one account, as its admins see, make and revoke them."""

from collections.abc import Callable
from typing import Final

from app.auth.keys import SCOPES, KeyInfo, NewKey, add_key, key_from, revoke_key
from app.errors import Complaint, Refused, describe, shorten_name
from app.quotas.quota import ensure_below
from app.runs.model import AccountId
from app.storage.access import accounts, administered
from app.storage.database import ReadSession, Session

LONGEST_LABEL: Final = 200  # characters
MOST_DAYS: Final = 3_650

# Whether the maker of a key has a scope.
HasScope = Callable[[str], bool]


def check_key(wanted: NewKey, has_scope: HasScope) -> NewKey:
    """With its scopes in their usual order. Raises Refused: invalid, with everything that is wrong; not_allowed,
    because nobody gives a scope that they lack."""
    complaints = []
    label = wanted.label.strip()
    if not label or not label.isprintable() or len(label) > LONGEST_LABEL:
        complaints.append(Complaint("label", f"`label` must be one line of 1 to {LONGEST_LABEL} characters"))
    if unknown := [scope for scope in wanted.scopes if scope not in SCOPES]:
        complaints.append(Complaint("scopes", f"There is no scope `{shorten_name(unknown[0])}`"))
    elif not wanted.scopes:
        complaints.append(Complaint("scopes", "`scopes` must have at least one scope"))
    if wanted.days is not None and not 1 <= wanted.days <= MOST_DAYS:
        complaints.append(Complaint("expiresInDays", f"`expiresInDays` must be from 1 to {MOST_DAYS:,}"))
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)
    if lacking := [scope for scope in wanted.scopes if not has_scope(scope)]:
        reason = f"You cannot give the scope `{lacking[0]}`, which you do not have"
        raise Refused("not_allowed", reason, [Complaint("scopes", reason)])
    return NewKey(label, tuple(scope for scope in SCOPES if scope in wanted.scopes), wanted.days)


async def make_key(
    session: Session, account_id: AccountId, wanted: NewKey, has_scope: HasScope, *, created_by: str | None, pepper: str
) -> tuple[KeyInfo, str]:
    """The new key, and it as `id:secret`, which can be shown only once. `created_by`: a key or a person; None: the
    operator. Raises Refused: invalid, not_allowed, quota_reached."""
    checked = check_key(wanted, has_scope)
    await accounts.lock(session, account_id)
    own = await administered.get_quotas(session, account_id)
    ensure_below("keys", own, len(await accounts.keys_in_use(session, account_id)))
    whole = await add_key(session, account_id, checked, created_by=created_by, pepper=pepper)
    return await load_key(session, account_id, whole.partition(":")[0]), whole


async def list_account_keys(session: ReadSession, account_id: AccountId) -> list[KeyInfo]:
    """Those that are not revoked, oldest first; expired ones too."""
    return [key_from(row) for row in await accounts.keys_in_use(session, account_id)]


async def load_key(session: ReadSession, account_id: AccountId, key_id: str) -> KeyInfo:
    """Raises Refused("not_found")."""
    rows = await accounts.keys_in_use(session, account_id, key_id)
    if not rows:
        raise Refused("not_found", "There is no such API key in this account")
    return key_from(rows[0])


async def revoke_account_key(session: Session, account_id: AccountId, key_id: str) -> None:
    """For good: its next request is refused. Raises Refused("not_found")."""
    await load_key(session, account_id, key_id)
    await revoke_key(session, key_id)
