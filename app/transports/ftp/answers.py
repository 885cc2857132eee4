"""Translates the answers of FTP servers and errors of the connection into the failures that all transports share."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import aioftp

from app.transports.failed import WRITING, Step, TransportFailed, failure

# The meaning of an error answer: the first row whose prefix its code has. RFC 959 §4.2; 501: RFC 3659 §7.2.1.
ANSWERS: dict[Step, tuple[tuple[str, str], ...]] = {
    "connect": (("4", "busy"), ("", "unreachable")),
    "authenticate": (("4", "busy"), ("", "login")),
    "find": (("550", "missing"), ("501", "missing"), ("53", "forbidden"), ("4", "busy"), ("", "odd_answer")),
    "read": (("4", "cut"), ("550", "missing"), ("53", "forbidden"), ("", "odd_answer")),
    "write": (
        ("421", "cut_writing"),
        ("425", "cut_writing"),
        ("426", "cut_writing"),
        ("4", "busy_writing"),
        ("", "not_written"),
    ),
}
# 550 means "no such file" as well as "access denied", and 530 may mean "TLS required". Only the text tells them apart,
# and it follows no standard.
FILES: dict[str, str] = {
    "no such": "missing", "not found": "missing", "denied": "forbidden", "permission": "forbidden",
    "privilege": "forbidden",
}  # fmt: skip
WRITE = {words: WRITING[reason] for words, reason in FILES.items()}
LOGIN: dict[str, str] = dict.fromkeys(("tls", "ssl", "encrypt", "cleartext"), "unencrypted")
LOST: dict[Step, str] = {
    "connect": "unreachable", "authenticate": "unreachable", "find": "cut", "read": "cut", "write": "cut_writing",
}  # fmt: skip
IDLE: dict[Step, str] = {"connect": "no_answer", "authenticate": "no_answer", "write": "idle_writing"}


def interpret(refused: aioftp.StatusCodeError, step: Step) -> TransportFailed:
    """The failure that an error answer means."""
    code = refused.received_codes[-1]
    text = " ".join(refused.info).lower()
    by_words = (reason for word, reason in words_for(step, code).items() if word in text)
    by_code = (reason for start, reason in ANSWERS[step] if code.startswith(start))
    return failure(next(chain(by_words, by_code)))


def words_for(step: Step, code: str) -> dict[str, str]:
    if step == "authenticate":
        return LOGIN
    if step == "write":
        return WRITE if code in ("550", "553") else {}
    return FILES if step in ("find", "read") and code in ("450", "550") else {}


@contextmanager
def translate_errors(step: Step) -> Iterator[None]:
    """Turns every error that the client can raise into a TransportFailed."""
    try:
        yield
    except aioftp.StatusCodeError as refused:
        raise interpret(refused, step) from None
    except TimeoutError:
        raise failure(IDLE.get(step, "idle")) from None
    except (OSError, EOFError):
        raise failure(LOST[step]) from None
    except (aioftp.AIOFTPException, ValueError, LookupError):
        raise failure("odd_answer") from None


@contextmanager
def translate_tls_errors() -> Iterator[None]:
    """Tells an untrusted certificate from other TLS errors."""
    try:
        yield
    except ssl.SSLCertVerificationError:
        raise failure("certificate") from None
    except ssl.SSLError:
        raise failure("no_tls") from None
