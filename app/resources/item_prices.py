"""The prices that the items of a sales catalogue have in its price lists.

Source: the vendor's page on item updates (docs/vendors/app4sales.md).
"""

from app.resources.schema import Field, Resource

RESOURCE = Resource(
    name="item-prices",
    keys=("id",),
    fields=(
        # ⟨price list⟩:⟨item code⟩. Ids of price lists of an item sync are digits, so no two pairs make one key.
        Field("id", "text", "Price ID", required=True, samples=("1:SHIRT01", "2:SHIRT01", "1:CAP-RED")),
        Field("priceListId", "reference", "Price list ID", to="price-lists"),
        Field("itemCode", "reference", "Item code", to="items"),
        Field("price", "decimal", "Price", samples=("17.50", "16.90", "10.00")),
    ),
)
