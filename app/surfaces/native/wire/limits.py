"""Shapes of limits: those that a client needs to know before it sends a file, and those that an account sets."""

from pydantic import Field

from app.web.shapes import Shape


class Limits(Shape):
    max_file_bytes: int = Field(description="The largest file, in bytes as sent, without the rest of the form")
    max_open_imports: int = Field(description="How many imports of an account may be queued or running")


class AccountDefaults(Shape):
    """The brakes of an account. A limit that is not set is absent."""

    max_errors: int = Field(default=0)
    max_error_share: float = Field(default=0.0)
    max_created: int = Field(default=0)
    max_updated: int = Field(default=0)
    max_removed: int = Field(default=0)
    max_removed_share: float = Field(default=0.0)
    min_rows: int = Field(default=0)
