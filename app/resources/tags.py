"""The tags of a shop, which group its products and form a tree.

Source: the connector that Reaction's document describes (docs/guides/reaction.md).
"""

from app.resources.schema import Field, Resource

RESOURCE = Resource(
    name="tags",
    keys=("_id",),
    generates_key=True,
    named_by="slug",
    fields=(
        Field("_id", "text", "ID"),
        Field("name", "text", "Name", required=True, samples=("Outdoor", "Boots", "Summer sale")),
        Field("slug", "slug", "Slug", made_from="name", samples=("outdoor", "boots", "")),
        Field("parentTagId", "reference", "Parent Tag ID", to="tags"),
        Field("parentTagSlug", "slug", "Parent Tag Slug", alias_of="parentTagId", samples=("", "outdoor", "")),
        Field("isVisible", "boolean", "Is Visible", default="true", samples=("true", "true", "false")),
        Field("isDeleted", "boolean", "Is Deleted", default="false", samples=("false",)),
    ),
)
