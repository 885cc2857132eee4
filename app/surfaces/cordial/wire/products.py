"""Cordial's products, and the query of a list of them."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, RootModel

from app.surfaces.cordial.wire.shape import CordialShape, Success

TIME: Final = "2018-06-18T21:42:55+0000"


class Variant(CordialShape):
    sku: str | None = None
    qty: float | None = None
    attr: Any = Field(default=None, description="An object with strings")


class Sale(CordialShape):
    enabled: bool | None = None


class Product(CordialShape):
    """A field that was never set is absent, a cleared one is null. With `fields`, only those fields and `_id`."""

    id_: str = Field(alias="_id", examples=["507f1f77bcf86cd799439011"])
    productID: str = ""
    productName: str = ""
    productType: str | None = Field(default=None, examples=["physical"])
    price: float | None = Field(default=None, description="With the digits as they were sent")
    UPCCode: str | None = None
    category: str | None = None
    description: str | None = None
    manufacturerName: str | None = None
    url: str | None = None
    inStock: bool | None = None
    taxable: bool | None = None
    enabled: bool | None = None
    sale: Sale = Sale()
    properties: Any = Field(default=None, description="An object, as it was sent")
    variants: list[Variant | None] = Field(default=[], description="By position. Null where nothing was ever set")
    images: list[str | None] = Field(default=[], description="By position")
    tags: list[str | None] = Field(default=[], description="By position")
    totalQty: float = Field(default=0, description="Of all variants")
    ct: str = Field(default="", description="When it was created", examples=[TIME])
    lm: str = Field(default="", description="When it was last changed", examples=[TIME])


class ProductList(RootModel[list[Product]]):
    """In the order of their productID."""


class Saved(Success):
    message: str = Field(examples=["product updated"])


class ProductQuery(BaseModel):
    """The query of a list."""

    model_config = ConfigDict(frozen=True)

    page: int = Field(default=1, ge=1, le=1_000_000)
    per_page: int = Field(default=25, ge=1, le=1_000)
    fields: str | None = Field(default=None, description="Only these fields, separated by commas")


FLAG: Final = {"type": ["boolean", "integer", "string", "null"], "description": "true, false, 1 or 0"}
TEXT: Final = {"type": ["string", "null"]}
NUMBER: Final = {"type": ["number", "string", "null"]}
PRODUCT_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["productID"],
                    "properties": {
                        "productID": {"type": ["string", "integer"], "maxLength": 255},
                        "productName": {"type": "string", "description": "Required for a new product"},
                        "productType": {"enum": ["physical", "digital", "subscription", "event", "", None]},
                        "price": NUMBER,
                        **dict.fromkeys(("UPCCode", "category", "description", "manufacturerName", "url"), TEXT),
                        **dict.fromkeys(("inStock", "taxable", "enabled"), FLAG),
                        "sale": {"type": "object", "properties": {"enabled": FLAG}},
                        "properties": {"type": "object", "additionalProperties": True},
                        "variants": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {
                                    "sku": TEXT,
                                    "qty": NUMBER,
                                    "attr": {"type": "object", "additionalProperties": TEXT},
                                },
                            },
                        },
                        "images": {"type": "array", "items": TEXT},
                        "tags": {"type": "array", "items": TEXT},
                    },
                },
                "example": {"productID": "A-1", "productName": "Steel tube", "price": 12.5},
            }
        },
    }
}
