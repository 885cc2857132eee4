"""Complaints about the body of another route that a member holds."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import Complaint, Refused, describe


def refuse(path: str, reason: str) -> Refused:
    return Refused("invalid", reason, [Complaint(path, reason)])


@contextmanager
def complaining_of(member: str) -> Iterator[None]:
    """Complaints that are raised within are about parts of that member."""
    try:
        yield
    except Refused as refused:
        if refused.code != "invalid":
            raise
        complaints = [put_below(member, each) for each in refused.complaints]
        raise Refused("invalid", describe(complaints), complaints) from None


def put_below(member: str, complaint: Complaint) -> Complaint:
    if not complaint.path:
        return Complaint(member, complaint.reason)
    path = f"{member}.{complaint.path}"
    return Complaint(path, complaint.reason.replace(f"`{complaint.path}`", f"`{path}`", 1))
