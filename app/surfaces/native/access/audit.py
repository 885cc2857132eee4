"""Makes the shapes of the audit log."""

from app.audit.log import Deed
from app.surfaces.native.access.keys_and_people import leave_out_none
from app.surfaces.native.wire.access.audit import AuditActor, AuditEntry, AuditSubject


def audit_entry(deed: Deed) -> AuditEntry:
    return AuditEntry(
        id=str(deed.id),
        at=deed.at,
        action=deed.action,
        summary=f"{deed.who} {deed.what}",
        actor=AuditActor(**leave_out_none({"kind": deed.actor_kind, "id": deed.actor_id, "name": deed.actor_name})),
        what=AuditSubject(**leave_out_none({"kind": deed.what_kind, "id": deed.what_id, "name": deed.what_name})),
        **leave_out_none(
            {
                "fields": list(deed.fields) or None,
                "surface": deed.surface,
                "address": deed.address,
                "request_id": deed.request_id,
            }
        ),
    )
