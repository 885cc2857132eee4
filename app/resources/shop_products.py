"""The products of a shop with their variants: a variant names its product as its parent, an option its variant.

Source: the connector that Reaction's document describes (docs/guides/reaction.md).
"""

from app.resources.schema import Field, Resource

SEPARATOR = " || "

RESOURCE = Resource(
    name="shop-products",
    keys=("_id",),
    generates_key=True,
    named_by="title",
    fields=(
        Field("_id", "text", "ID"),
        Field("title", "text", "Title", required=True, samples=("Walking boots", "Brown", "Brown, size 42")),
        Field("optionTitle", "text", "Option title", deep="parentId", samples=("", "Brown", "42")),
        Field("parentId", "reference", "Parent ID", to="shop-products"),
        Field(
            "parentTitle",
            "text",
            "Parent title",
            alias_of="parentId",
            samples=("", "Walking boots", "Brown"),
        ),
        Field("pageTitle", "text", "Page title", samples=("Boots for every path", "", "")),
        Field("description", "text", "Description", samples=("Leather, resoled for free", "", "")),
        Field("vendor", "text", "Vendor", samples=("Alpina", "", "")),
        Field("slug", "slug", "Slug", made_from="title", samples=("walking-boots", "", "")),
        Field("originCountry", "text", "Origin Country", samples=("IT", "", "")),
        Field("tagIds", "list", "Tag IDs", separator=SEPARATOR, to="tags"),
        Field("tagSlugs", "list", "Tag Slugs", separator=SEPARATOR, items="slug", alias_of="tagIds", samples=("",)),
        Field(
            "metafields",
            "list",
            "Metafields",
            separator=SEPARATOR,
            items="pair",
            samples=("Material : leather || Sole : rubber", "Colour : brown", ""),
        ),
        Field("isVisible", "boolean", "Is Visible", default="true", samples=("true",)),
        Field("height", "decimal", "Height", samples=("", "", "14")),
        Field("width", "decimal", "Width", samples=("", "", "30.5")),
        Field("weight", "decimal", "Weight", samples=("", "", "1.2")),
        Field("price", "decimal", "Price", samples=("", "", "149.90")),
        Field("comparesAtPrice", "decimal", "Compares at price", samples=("", "", "179.00")),
        Field("taxable", "boolean", "Taxable", default="false", samples=("true",)),
        Field("taxCode", "text", "Tax Code", samples=("", "", "P0000000")),
        Field(
            "images",
            "list",
            "Images",
            separator=SEPARATOR,
            items="url",
            samples=("", "https://shop.example.com/brown.jpg || https://shop.example.com/brown-side.jpg", ""),
        ),
        Field("inventoryManagement", "boolean", "Track inventory?", default="true", samples=("true",)),
        Field("inventoryPolicy", "boolean", "Allow backorder?", default="true", samples=("false",)),
        Field("inventoryQuantity", "integer", "Quantity", samples=("", "", "25")),
        Field("lowInventoryWarningThreshold", "integer", "Warn at quantity", default="0", samples=("", "", "5")),
        Field(
            "supportedFulfillmentTypes",
            "list",
            "Fulfillment types",
            separator=SEPARATOR,
            samples=("shipping || pickup", "", ""),
        ),
        Field("isDeleted", "boolean", "Is Deleted", default="false", samples=("false",)),
    ),
)
