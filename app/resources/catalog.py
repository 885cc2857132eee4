"""The products of a catalogue as a marketing system knows them: nested, with variants, images and free properties.

Sources: the vendor's article on products, and its article on product imports for the names of nested columns.
"""

from app.resources.vocabulary import Field, Resource, family

RESOURCE = Resource(
    name="catalog",
    keys=("productID",),
    fields=(
        Field("productID", "text", lenient=True),
        Field("productName", "text", required=True),
        Field("productType", "enum", options=("physical", "digital", "subscription", "event")),
        Field("price", "decimal"),
        Field("UPCCode", "text", lenient=True),
        Field("category", "text"),
        Field("description", "text"),
        Field("manufacturerName", "text"),
        Field("url", "text"),
        Field("inStock", "boolean", lenient=True),
        Field("taxable", "boolean", lenient=True),
        Field("enabled", "boolean", lenient=True),
        Field("sale.enabled", "boolean", lenient=True),
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
    samples={
        "productID": ("AC30", "skirt0912", "pants0910"),
        "productName": ("Acme-30 Stapler", "Denim Skirt", "Khaki Pants"),
        "productType": ("physical",),
        "price": ("14.95", "19.99", "29.99"),
        "UPCCode": ("036000291452", "4006381333931", "9780201379624"),
        "category": ("office_supplies", "skirts", "pants"),
        "description": ("Holds 30 sheets", "Knee-length, washed", "Straight cut"),
        "manufacturerName": ("Acme", "Acme", "Acme"),
        "url": (
            "https://shop.example.com/stapler",
            "https://shop.example.com/skirt",
            "https://shop.example.com/pants",
        ),
        "inStock": ("1", "1", "0"),
        "taxable": ("1",),
        "enabled": ("1",),
        "sale.enabled": ("0", "1", "0"),
    },
)
