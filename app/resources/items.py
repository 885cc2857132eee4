"""The items of a sales catalogue: what an item sync reads from the files of a folder, and the filters that items have.

Source: the vendor's page on item updates; the names of the fields are its own (docs/vendors/app4sales.md).
"""

from app.resources.schema import Field, Resource

RESOURCE = Resource(
    name="items",
    keys=("itemCode",),
    fields=(
        Field("itemCode", "text", "Item code", required=True, samples=("SHIRT01", "SHIRT02", "CAP-RED")),
        Field("eanCode", "text", "EAN code", samples=("4006381333931", "9780201379624", "036000291452")),
        Field("description", "text", "Description", samples=("T-shirt, red", "T-shirt, blue", "Cap, red")),
        Field("description2", "text", "Description 2", samples=("Organic cotton",)),
        Field("description3", "text", "Description 3"),
        Field("description4", "text", "Description 4"),
        Field("description5", "text", "Description 5"),
        Field("searchDescription", "text", "Search description", samples=("shirt tee red", "shirt tee blue", "hat")),
        Field("salesPrice", "decimal", "Sales price", samples=("19.95", "19.95", "12.50")),
        Field("currency", "text", "Currency", samples=("EUR",)),
        Field("vatIncluded", "text", "VAT included", max_length=1, samples=("E", "E", "I")),
        Field("vatPercentage", "decimal", "VAT percentage", samples=("21",)),
        Field("lastAvailableStock", "decimal", "Last available stock", samples=("120", "0", "35.5")),
        Field("unit", "text", "Unit", samples=("PCS", "PCS", "BOX")),
        Field("minimumOrderQuantity", "decimal", "Minimum order quantity", samples=("1", "1", "6")),
        Field("purchasePackageSize", "decimal", "Purchase package size", samples=("1", "1", "12")),
        Field("createdDate", "datetime", "Created date", samples=("2026-01-31", "2026-02-01T08:30:00Z", "2026-02-14")),
        Field("nextDelivery", "date", "Next delivery", samples=("", "2026-12-24", "")),
        # [{"caption": "Material", "value": "Cotton"}, …], in the order of the file.
        Field("freeItemFields", "object", "Free fields", samples=('[{"caption": "Material", "value": "Cotton"}]', "")),
        Field("classValues", "list", "Filter values", to="item-class-values"),
    ),
)
