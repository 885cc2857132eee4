"""Makes the shapes of API keys and of people."""

from collections.abc import Mapping
from typing import Any

from app.auth.keys import KeyInfo
from app.people.members import Member
from app.surfaces.native.wire.access.keys import ApiKey
from app.surfaces.native.wire.access.people import AccountMember


def api_key(key: KeyInfo) -> ApiKey:
    return ApiKey(**key_members(key))


def key_members(key: KeyInfo) -> dict[str, Any]:
    optional = {"created_by": key.created_by, "last_used_at": key.last_used_at, "expires_at": key.expires_at}
    whole = {"id": key.id, "label": key.label, "scopes": list(key.scopes), "created_at": key.created_at}
    return whole | leave_out_none(optional)


def account_member(member: Member) -> AccountMember:
    return AccountMember(**member_members(member))


def member_members(member: Member) -> dict[str, Any]:
    whole = {name: getattr(member, name) for name in ("id", "email", "name", "role", "created_at")}
    optional = {name: getattr(member, name) for name in ("created_by", "joined_at", "signed_in_at")}
    return whole | leave_out_none(optional)


def leave_out_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
