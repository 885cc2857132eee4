"""Says in one line why a command failed."""

import typer
from pydantic import ValidationError

from app.errors import name_subject


def format_error(error: Exception) -> str:
    """The error in one line."""
    if isinstance(error, typer.TyperException):
        return " ".join(error.format_message().split())
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"])
        return name_subject(f"SLUICE_{name.upper()}", first["msg"]).replace("`", "")
    return " ".join(str(error).split()) or type(error).__name__
