"""What all of Voucherify's shapes have in common: snake case, and no members that were not set."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from app.web.shapes import hide_defaults

# A time in a query. The SDKs have more spellings for it than a date-time allows, and all of them are accepted.
TimeText = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class VoucherifyShape(BaseModel):
    """A field with a default can be absent on the wire."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=hide_defaults)

    def encoded(self) -> bytes:
        return self.model_dump_json(exclude_unset=True).encode()
