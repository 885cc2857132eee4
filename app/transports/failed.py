"""Why a transfer failed, in our own words: never the other server's text, never a credential."""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from app.errors import SluiceError, join_choices

Step = Literal["address", "resolve", "connect", "authenticate", "find", "read", "write"]


class TransportFailed(SluiceError):
    """A step of a transfer failed. `transient` says that another try may succeed. `reason` is a key of REASONS, or
    empty if there is none."""

    def __init__(self, step: Step, detail: str, *, transient: bool = False, reason: str = "") -> None:
        super().__init__(f"{step}: {detail}")
        self.step: Step = step
        self.detail = detail
        self.transient = transient
        self.reason = reason


class FailureReason(NamedTuple):
    """A row of REASONS. `detail` is a whole sentence."""

    step: Step
    detail: str
    transient: bool = False


# An unknown name and a refused address read alike: the difference would tell a stranger which names exist inside the
# operator's network.
UNRESOLVED = "The host name is unknown, or its address is one that this service is not allowed to call"
# The reasons that all transports share, so that a failure reads the same whatever the protocol.
REASONS: dict[str, FailureReason] = {
    "bad_address": FailureReason("address", "The address is not valid"),
    "bad_scheme": FailureReason("address", "The address uses a protocol that is not supported"),
    "bad_port": FailureReason(
        "address",
        "This service is not allowed to call that port. "
        "Use the protocol's own port, or one that no other kind of server is known for",
    ),
    "bad_path": FailureReason("address", "The path is too long or contains characters that are not allowed"),
    "bad_pattern": FailureReason("address", "Wildcards are allowed only in the last part of a path"),
    "bad_option": FailureReason("address", "A setting of the source is invalid or does not belong to its protocol"),
    "slow_key": FailureReason("address", "The private key would take too long to decrypt"),
    "keys_wait": FailureReason(
        "address",
        "The private key could not be decrypted in time. Encrypt it again with fewer rounds, or send fewer requests at "
        "a time",
        transient=True,
    ),
    "no_host_key": FailureReason("address", "The server's host key is required for SFTP"),
    "insecure_redirect": FailureReason(
        "address", "The server redirects from https to http. Use an address that stays on https"
    ),
    "refused": FailureReason("resolve", UNRESOLVED),
    "unknown_host": FailureReason("resolve", UNRESOLVED),
    "no_lookup": FailureReason("resolve", "The host name could not be looked up", transient=True),
    "own_calls": FailureReason(
        "connect", "Too many tests and listings of this account are under way. Wait until they end", transient=True
    ),
    "unreachable": FailureReason("connect", "The server cannot be reached", transient=True),
    "no_answer": FailureReason("connect", "The server did not answer in time", transient=True),
    "certificate": FailureReason(
        "connect",
        "The server's certificate is not trusted. The operator can set `SLUICE_CA_FILE` for a private authority",
    ),
    "no_tls": FailureReason("connect", "An encrypted connection could not be established"),
    "old_ssh": FailureReason("connect", "The server's SSH software is too old to connect safely"),
    "host_key": FailureReason("connect", "The server's host key does not match the expected one"),
    "login": FailureReason("authenticate", "The server did not accept the credentials"),
    "unencrypted": FailureReason(
        "authenticate", "The server did not accept the credentials, perhaps because it requires TLS. Try ftps"
    ),
    "missing": FailureReason("find", "The file does not exist"),
    "missing_folder": FailureReason("find", "The folder does not exist"),
    "replaced": FailureReason("find", "The file was replaced after it had been found, and before it was fetched"),
    "no_bucket": FailureReason("find", "The bucket does not exist"),
    "no_match": FailureReason("find", "No file matches the pattern"),
    "elsewhere": FailureReason("find", "The bucket is not in the given region or not at the given endpoint"),
    "forbidden": FailureReason("find", "The server denied access"),
    "no_patterns": FailureReason("find", "This protocol cannot list files. Give the full path of one file"),
    "too_many": FailureReason("find", "Too many files match. Use a narrower pattern"),
    "too_many_redirects": FailureReason("find", "The server redirects too many times"),
    "busy": FailureReason("find", "The server is busy", transient=True),
    "odd_listing": FailureReason("find", "The server's listing is not understood"),
    "odd_name": FailureReason(
        "find", "A file of the folder has a name that is not UTF-8, too long or unprintable. Rename it"
    ),
    "odd_answer": FailureReason("find", "The server's answer could not be understood"),
    "odd_size": FailureReason("find", "The server tells a size of the file that no file has"),
    "cut": FailureReason("read", "The connection was lost", transient=True),
    "idle": FailureReason("read", "The server sent nothing for too long", transient=True),
    "crawling": FailureReason(
        "read", "The server sends too slowly: fewer than 1,000 bytes a second for a minute", transient=True
    ),
    "too_slow": FailureReason("read", "The transfer took too long"),
    "changed": FailureReason("read", "The file changed while it was being read", transient=True),
    "wrong_length": FailureReason("read", "The file is longer or shorter than the server said", transient=True),
    "too_large": FailureReason("read", "The file is larger than this service accepts"),
    "coded": FailureReason(
        "read", "The server compresses the file in an unknown way. It may send it as gzip, or as it is"
    ),
    "not_written": FailureReason("write", "The server did not accept the file"),
    "cut_writing": FailureReason("write", "The connection was lost", transient=True),
    "idle_writing": FailureReason("write", "The server did not respond for too long", transient=True),
    "busy_writing": FailureReason("write", "The server cannot accept the file at the moment", transient=True),
    "denied_writing": FailureReason("write", "The server does not allow this login to write the file"),
    "denied_deleting": FailureReason("write", "The server does not allow this login to delete files"),
    "denied_moving": FailureReason("write", "The server does not allow this login to move the file"),
    "taken": FailureReason("write", "There is already a file with that name"),
    "no_folder": FailureReason("write", "The folder does not exist. It has to be there before a file is written to it"),
    "slow_writing": FailureReason("write", "The transfer took too long"),
    "mail_later": FailureReason("write", "The mail server cannot accept the mail at the moment", transient=True),
    "mail_refused": FailureReason("write", "The mail server rejected the mail"),
    "no_writing": FailureReason("write", "This protocol cannot write, move or delete files"),
}

# What a reason means when a file is written or deleted.
WRITING = {
    "cut": "cut_writing", "idle": "idle_writing", "busy": "busy_writing", "forbidden": "denied_writing",
    "missing": "no_folder",
}  # fmt: skip
DELETING = WRITING | {"forbidden": "denied_deleting", "missing": "missing", "changed": "changed"}
MOVING = WRITING | {"forbidden": "denied_moving"}


def failure(reason: str) -> TransportFailed:
    """The error for a key of REASONS."""
    row = REASONS[reason]
    return TransportFailed(row.step, row.detail, transient=row.transient, reason=reason)


def bad_option(*names: str) -> TransportFailed:
    """The error for options with these names (see RULES). They are called as callers write them: `privateKey`."""
    members = join_choices(f"`{re.sub('_(.)', lambda letter: letter[1].upper(), name)}`" for name in names)
    detail = f"The setting {members} of the source is invalid or does not belong to its protocol"
    return TransportFailed(REASONS["bad_option"].step, detail, reason="bad_option")


def as_write_failure(failed: TransportFailed, reasons: Mapping[str, str] = WRITING) -> TransportFailed:
    """The failure as `put`, `move` (with MOVING) and `delete` (with DELETING) report it: as a failure to write, even if
    the step that failed was to find or read the file."""
    if failed.step not in {"find", "read"} or failed.reason == "no_bucket":
        return failed
    return failure(reasons.get(failed.reason, "not_written"))
