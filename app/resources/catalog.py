"""The products of a catalogue as a marketing system knows them: nested, with variants, images and custom properties.

Sources: the vendor's article on products, and its article on product imports for the names of nested columns.
"""

from app.resources.schema import Field, Resource, family

RESOURCE = Resource(
    name="catalog",
    keys=("productID",),
    fields=(
        Field("productID", "text", "Product ID", lenient=True, samples=("AC30", "skirt0912", "pants0910")),
        Field(
            "productName",
            "text",
            "Product name",
            required=True,
            samples=("Acme-30 Stapler", "Denim Skirt", "Khaki Pants"),
        ),
        Field(
            "productType",
            "enum",
            "Product type",
            options=("physical", "digital", "subscription", "event"),
            samples=("physical",),
        ),
        Field("price", "decimal", "Price", samples=("14.95", "19.99", "29.99")),
        Field("UPCCode", "text", "UPC code", lenient=True, samples=("036000291452", "4006381333931", "9780201379624")),
        Field("category", "text", "Category", samples=("office_supplies", "skirts", "pants")),
        Field("description", "text", "Description", samples=("Holds 30 sheets", "Knee-length, washed", "Straight cut")),
        Field("manufacturerName", "text", "Manufacturer", samples=("Acme", "Acme", "Acme")),
        Field(
            "url",
            "text",
            "Product page",
            samples=(
                "https://shop.example.com/stapler",
                "https://shop.example.com/skirt",
                "https://shop.example.com/pants",
            ),
        ),
        Field("inStock", "boolean", "In stock", lenient=True, samples=("1", "1", "0")),
        Field("taxable", "boolean", "Taxable", lenient=True, samples=("1",)),
        Field("enabled", "boolean", "Enabled", lenient=True, samples=("1",)),
        Field("sale.enabled", "boolean", "On sale", lenient=True, samples=("0", "1", "0")),
    ),
    families=(
        family("properties.*", "text", kept=True),
        family("variants.#.sku", "text", lenient=True),
        family("variants.#.qty", "decimal"),
        family("variants.#.attr.*", "text", lenient=True),
        family("images.#", "text"),
        family("tags.#", "text"),
    ),
    unknown_columns="error",
)
