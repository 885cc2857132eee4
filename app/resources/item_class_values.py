"""The values that the classes of items have, such as red or blue. Items name theirs in `classValues`.

Source: the vendor's page on item updates (docs/vendors/app4sales.md).
"""

from app.resources.schema import Field, Resource

RESOURCE = Resource(
    name="item-class-values",
    keys=("id",),
    fields=(
        # ⟨class⟩:⟨value⟩, as `app.syncs` writes it: a colon or percent sign in the class is percent-encoded.
        Field("id", "text", "Value ID", required=True, samples=("Color:Red", "Color:Blue", "Brand:Alpina")),
        Field("itemClass", "reference", "Class", to="item-classes"),
        Field("value", "text", "Value", samples=("Red", "Blue", "Alpina")),
        Field("sequence", "integer", "Sequence", samples=("10", "20", "10")),
    ),
)
