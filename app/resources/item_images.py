"""The pictures of items: an item sync makes these records, and keeps the pictures themselves once for each content.

Source: the vendor's page on item updates (docs/vendors/app4sales.md).
"""

from app.resources.schema import Field, Resource

RESOURCE = Resource(
    name="item-images",
    keys=("id",),
    fields=(
        # ⟨item code⟩_⟨sequence⟩: the last underscore divides them.
        Field("id", "text", "Image ID", required=True, samples=("SHIRT01_1", "SHIRT01_2", "CAP-RED_1")),
        Field("itemCode", "reference", "Item code", to="items"),
        Field("sequence", "integer", "Sequence", samples=("1", "2", "1")),
        Field("sha256", "text", "SHA-256 of the file", max_length=64),
        Field("mediaType", "enum", "Media type", options=("image/jpeg", "image/png")),
        Field("width", "integer", "Width in pixels", samples=("1600", "1600", "800")),
        Field("height", "integer", "Height in pixels", samples=("1200", "1200", "800")),
        Field("bytes", "integer", "Bytes", samples=("183204", "170011", "52340")),
        Field("fileName", "text", "File name", samples=("SHIRT01_1.jpg", "SHIRT01_2.jpg", "CAP-RED.png")),
    ),
)
