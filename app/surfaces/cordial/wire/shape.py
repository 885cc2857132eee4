"""What all of Cordial's shapes have in common: names as they are, and no members that were not set."""

from pydantic import BaseModel, ConfigDict

from app.web.shapes import hide_defaults


class CordialShape(BaseModel):
    """A field with a default can be absent on the wire."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=hide_defaults)

    def encoded(self) -> bytes:
        return self.model_dump_json(by_alias=True, exclude_unset=True).encode()


class Success(CordialShape):
    success: bool = True
