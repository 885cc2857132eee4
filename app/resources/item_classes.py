"""The classes by which the items of a sales catalogue are filtered, such as colour or brand.

Source: the vendor's page on item updates (docs/vendors/app4sales.md).
"""

from app.resources.schema import Field, Resource

RESOURCE = Resource(
    name="item-classes",
    keys=("name",),
    fields=(Field("name", "text", "Name", required=True, samples=("Color", "Brand", "Season")),),
)
