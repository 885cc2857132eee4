"""What all of Voucherify's shapes have in common: snake case, and what was not set is left out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from app.web.shapes import hide_defaults

# A moment in a query. The SDKs have more spellings for it than a date-time, and all of them are taken.
Spelled = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class Shape(BaseModel):
    """Written as `encoded()`; a field with a default is one that may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=hide_defaults)

    def encoded(self) -> bytes:
        return self.model_dump_json(exclude_unset=True).encode()
