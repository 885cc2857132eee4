"""The shape of the limits that a client needs to know before it sends a file."""

from pydantic import Field

from app.web.shapes import Shape


class Limits(Shape):
    max_file_bytes: int = Field(description="The largest file, in bytes as sent, without the rest of the form")
    max_open_imports: int = Field(description="How many imports of an account may be queued or running")
