"""Why a transfer did not work, in our own words: never the other side's text, never a credential."""

from typing import Literal, NamedTuple

from app.errors import SluiceError

Step = Literal["address", "resolve", "connect", "authenticate", "find", "read", "write"]


class TransportFailed(SluiceError):
    """A step of a transfer failed; `passing` says that a second try may help, `reason` is the key of REASONS if any."""

    def __init__(self, step: Step, detail: str, *, passing: bool = False, reason: str = "") -> None:
        super().__init__(f"{step}: {detail}")
        self.step: Step = step
        self.detail = detail
        self.passing = passing
        self.reason = reason


class Reason(NamedTuple):
    """A row of REASONS."""

    step: Step
    detail: str
    passing: bool = False


# An unknown name and a refused address read alike: the difference would tell a stranger what names exist inside.
NOT_OURS = "The name is unknown, or belongs to an address that this service may not call"
# Every reason that all transports share, so that a failure sounds the same whatever protocol is spoken.
REASONS: dict[str, Reason] = {
    "bad_address": Reason("address", "The address cannot be read"),
    "bad_scheme": Reason("address", "The address begins with a protocol that this service does not speak"),
    "bad_port": Reason("address", "The port is not one that this service may call"),
    "bad_path": Reason("address", "The path is too long or has characters that are not allowed"),
    "bad_pattern": Reason("address", "Only the last part of a path may be a pattern"),
    "bad_option": Reason("address", "The source has a setting that does not belong to its protocol or cannot be read"),
    "no_host_key": Reason("address", "The source does not say which host key its server has"),
    "insecure_redirect": Reason("address", "The server leads from an encrypted address to a plain one"),
    "refused": Reason("resolve", NOT_OURS),
    "unknown_host": Reason("resolve", NOT_OURS),
    "no_lookup": Reason("resolve", "The host name could not be looked up", passing=True),
    "unreachable": Reason("connect", "The server cannot be reached", passing=True),
    "no_answer": Reason("connect", "The server did not answer in time", passing=True),
    "certificate": Reason("connect", "The server's certificate is not trusted"),
    "no_tls": Reason("connect", "An encrypted connection could not be made"),
    "host_key": Reason("connect", "The server's host key is not the one that was given for it"),
    "login": Reason("authenticate", "The server did not accept the credentials"),
    "unencrypted": Reason("authenticate", "The server does not accept the credentials, or none without TLS: try ftps"),
    "missing": Reason("find", "There is no such file"),
    "no_bucket": Reason("find", "There is no such bucket"),
    "no_match": Reason("find", "No file fits the pattern"),
    "elsewhere": Reason("find", "The bucket is not in the region, or not at the address, that was given for it"),
    "forbidden": Reason("find", "The server does not give access to it"),
    "no_patterns": Reason("find", "Files cannot be listed over this protocol: give the whole path of one"),
    "too_many": Reason("find", "More files match than this service takes at a time"),
    "too_many_redirects": Reason("find", "The server leads from address to address without end"),
    "busy": Reason("find", "The server cannot serve it for now", passing=True),
    "odd_answer": Reason("find", "The server's answer makes no sense"),
    "cut": Reason("read", "The connection broke off", passing=True),
    "idle": Reason("read", "The server was silent for too long", passing=True),
    "too_slow": Reason("read", "The transfer took too long"),
    "changed": Reason("read", "The file changed while it was read", passing=True),
    "wrong_length": Reason("read", "The file has another length than the server said", passing=True),
    "too_large": Reason("read", "The file is larger than this service accepts"),
    "coded": Reason("read", "The server sent the file compressed though it was asked not to"),
    "not_written": Reason("write", "The server did not take the file"),
    "cut_writing": Reason("write", "The connection broke off", passing=True),
    "idle_writing": Reason("write", "The server was silent for too long", passing=True),
    "busy_writing": Reason("write", "The server cannot take the file for now", passing=True),
    "mail_later": Reason("write", "The mail server does not take the mail for now", passing=True),
    "mail_refused": Reason("write", "The mail server refused the mail"),
    "no_writing": Reason("write", "Files cannot be written or deleted over this protocol"),
}

WRITING = {"cut": "cut_writing", "idle": "idle_writing", "busy": "busy_writing"}


def failure(reason: str) -> TransportFailed:
    """The error for a key of REASONS."""
    row = REASONS[reason]
    return TransportFailed(row.step, row.detail, passing=row.passing, reason=reason)


def while_writing(failed: TransportFailed) -> TransportFailed:
    """The same failure as one of `put` or `delete` is told: what was found or read there is of no interest."""
    if failed.step not in {"find", "read"} or failed.reason in {"missing", "no_bucket"}:
        return failed
    return failure(WRITING.get(failed.reason, "not_written"))
