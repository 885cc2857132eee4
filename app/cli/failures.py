"""Says in one line why a command failed, and with which exit code it ends."""

import re
from typing import Final

import typer
from pydantic import ValidationError

from app.errors import INTERRUPTED, MISCONFIGURED, TROUBLE, Misconfigured, SluiceError, name_subject
from app.observe.logs import describe_crash
from app.settings import describe_wrong_setting

# Whose errors have texts for people. A library's may hold addresses, statements and links.
READABLE = ("app", "builtins")
INVALID_OPTION: Final = re.compile(r"Invalid value for '([^']+)': (Input should .+)")


def explain_failure(error: Exception) -> tuple[str, int]:
    """The error in one line, "" for none, and the exit code."""
    match error:
        case typer.Abort():
            return "", INTERRUPTED
        case typer.TyperException():
            reason, exit_code = describe_usage(error.format_message()), MISCONFIGURED
        case ValidationError():
            reason, exit_code = describe_wrong_setting(error), MISCONFIGURED
        case Misconfigured():
            reason, exit_code = str(error), MISCONFIGURED
        case SluiceError():
            reason, exit_code = str(error), error.exit_code
        case _:
            readable = type(error).__module__.partition(".")[0] in READABLE and str(error)
            reason, exit_code = readable or describe_crash(error), TROUBLE
    return " ".join(reason.split()), exit_code


def describe_usage(message: str) -> str:
    """What typer says of a command that is called wrongly, with pydantic's words as a sentence."""
    found = INVALID_OPTION.match(message)
    return name_subject(*found.groups()) if found else message
