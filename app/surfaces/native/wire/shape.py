"""What several shapes share: the links of a list."""

from pydantic import Field

from app.web.shapes import Shape


class Links(Shape):
    next: str = Field(default="", description="Absolute URL of the next page; absent on the last")
