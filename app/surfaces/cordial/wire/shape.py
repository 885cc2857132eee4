"""What all of Cordial's shapes have in common: the names as they are, and what was not set is left out."""

from pydantic import BaseModel, ConfigDict

from app.web.shapes import hide_defaults


class Shape(BaseModel):
    """Written as `encoded()`; a field with a default is one that may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=hide_defaults)

    def encoded(self) -> bytes:
        return self.model_dump_json(by_alias=True, exclude_unset=True).encode()


class Success(Shape):
    success: bool = True
