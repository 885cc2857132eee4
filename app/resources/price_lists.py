"""The price lists of a sales catalogue. Which price an item has in one is a record of its own (`item-prices`).

Source: the vendor's page on item updates (docs/vendors/app4sales.md).
"""

from app.resources.schema import Field, Resource

RESOURCE = Resource(
    name="price-lists",
    keys=("id",),
    fields=(
        Field("id", "text", "Price list ID", required=True, samples=("1", "2", "3")),
        Field("code", "text", "Code", samples=("1", "2", "3")),
        Field("name", "text", "Name", samples=("PriceList 1", "PriceList 2", "PriceList 3")),
    ),
)
