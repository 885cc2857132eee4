"""Runs an import again: the same type, mapping, options and source, with the file as it is now."""

from dataclasses import replace
from typing import Any

from app.auth.identity import Identity
from app.connections.declaration import build_remote
from app.connections.pull import Pull
from app.errors import Complaint, Refused, describe
from app.imports.examine import Upload
from app.imports.intake import Submission
from app.imports.plan import find_contradictions, is_pending, load_options, load_request
from app.runs.model import Run

MADE_OF_A_LIST = (
    "This import was made of a list in JSON, and not of a file. Send the list again to the path that it was sent to"
)
NOT_KEPT = (
    "The credentials or the query with which this import fetched its file are not kept. Send them again as `source`"
)


def build_rerun(
    parent: Run, file: Upload | Pull, *, name: str | None, sender: Identity, request_id: str, dry_run: bool = False
) -> Submission:
    """The same as the parent with this file. Without a `name` it is called as the parent is. Whether it only shows what
    it would do, each import is asked for itself. Raises Refused("invalid")."""
    wanted, asked = load_request(parent), load_options(parent)
    staged = asked.staged and not asked.dry_run
    anew: dict[str, Any] = {"released": False, "accepted": None, "draft": None, "if_same_file": "allow"}
    options = replace(asked, **anew, dry_run=dry_run, staged=staged)
    if complaints := list(find_contradictions(options)):
        raise Refused("invalid", describe(complaints), complaints)
    return Submission(
        account_id=parent.account_id,
        sender=sender,
        origin=parent.origin,
        type=parent.type,
        file=file,
        read=wanted.read,
        mapping=wanted.mapping,
        options=options,
        name=name or parent.name,
        notify=parent.notify,
        webhook_id=parent.webhook_id,
        request_id=request_id,
        parent=parent,
    )


def refuse_list(parent: Run) -> None:
    """Refuses the rerun of what a surface has made a file of: nobody could send such a file. Raises
    Refused("invalid")."""
    read = load_request(parent).read
    if read.prescribed and read.format == "jsonl":
        raise Refused("invalid", MADE_OF_A_LIST, [Complaint("", MADE_OF_A_LIST)])


def read_charset(parent: Run) -> str:
    """How the parent's file was encoded; "" if that is found from the file, or if it never arrived."""
    encoding = "" if is_pending(parent) else str(parent.plan["dialect"]["encoding"])
    return "" if encoding.startswith("utf") else encoding


def build_pull(parent: Run) -> Pull:
    """The file that the parent has fetched from a web address, if there was nothing secret about it. Raises
    Refused("invalid")."""
    source = dict(parent.source or {})
    if not source.get("complete"):
        raise Refused("invalid", NOT_KEPT, [Complaint("source", NOT_KEPT)])
    members: dict[str, object] = {name: source[name] for name in ("transport", "host", "port") if name in source}
    return Pull(build_remote(members), source["path"])
