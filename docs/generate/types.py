"""Writes the reference pages of what can be imported and where from: record types, field types, transports."""

from app.resources.field_types import TYPES
from app.resources.registry import BUILT_IN
from app.resources.schema import Field, Resource
from app.transports.options import RULES, OptionRule
from docs.generate.markdown import code, page, sentence, table

# Built-in type -> how it is spoken of, and by which surface it is imported.
ABOUT = {
    "contacts": "People you write to. The only built-in type that takes custom fields: "
    "see [Your own types](../guides/own-types.md#custom-fields-of-contacts).",
    "products": "Products with a page in a shop.",
    "coupons": "Coupon codes. An import of coupons names the set they go into with `couponSetId`. A code that the set already "
    "has is `unchanged`; a code of another set fails with `conflict`.",
    "customers": "Customers as Voucherify knows them. A column that is no field is kept as `metadata.⟨heading⟩`. "
    "See [Voucherify](../vendors/voucherify.md).",
    "catalog": "Nested products as Cordial knows them. In a path, `#` is a position from 0 to 999 and `*` any path. "
    "See [Cordial](../vendors/cordial.md).",
    "shop-products": "The products of a shop, with variants and options. "
    "See [Moving from Reaction](../guides/reaction.md).",
    "tags": "The tags of a shop, which form a tree. See [Moving from Reaction](../guides/reaction.md).",
    "items": "The items of a sales catalogue, as App4Sales knows them. `freeItemFields` is a list of objects with "
    "`caption` and `value`. See [App4Sales](../vendors/app4sales.md).",
    "price-lists": "The price lists of a sales catalogue.",
    "item-prices": "What an item costs in a price list. The key is the id of the list, a colon, and the code of the item.",
    "item-classes": "The classes by which items are filtered, such as colour or brand.",
    "item-class-values": "The values of these classes. The key is the class, a colon, and the value; a colon or percent sign in "
    "the class is percent-encoded. Items name their values in `classValues`.",
    "item-images": "The pictures of items. The key is the code of the item, an underscore, and the sequence. An item sync makes "
    "these records and keeps the pictures; `sha256` is that of the file as it was sent. "
    "See [Pictures of items](../guides/item-images.md).",
}
ITEMS = {"url": "web addresses", "pair": "items of `name : value`"}
WIRE_NAMES = {"max_length": "maxLength"}


def record_types() -> str:
    intro = """
These types exist in every account. `GET /types/{name}` returns a type with its fields, and `GET /types/{name}/sample.csv` a small
file that imports without an error. [Your own types](../guides/own-types.md) shows how to declare others, from the
[field types](field-types.md).
"""
    return page("Built-in record types", intro, *(record_type(each) for each in sorted_types()))


def sorted_types() -> list[Resource]:
    return [BUILT_IN[name] for name in ABOUT] + [each for name, each in BUILT_IN.items() if name not in ABOUT]


def record_type(resource: Resource) -> str:
    written = [each for each in resource.fields if not each.read_only]
    ignored = [each for each in resource.fields if each.read_only]
    fields = [*written, *(each.field for each in resource.families)]
    parts = [
        f"## {resource.name}",
        ABOUT.get(resource.name, ""),
        f"Key: {key_of(resource)}. Other columns: {code(resource.unknown_columns)}, unless the request says otherwise.",
        table(
            ("Field", "Label", "Type", "Limits"),
            ((code(each.id), each.label, code(each.type), limits_of(each)) for each in fields),
        ),
    ]
    if ignored:
        names = ", ".join(code(each.id) for each in ignored)
        parts.append(f"Columns that the service fills itself and that are ignored with a warning: {names}.")
    return "\n\n".join(part for part in parts if part)


def key_of(resource: Resource) -> str:
    if resource.generates_key:
        return f"{code(resource.keys[0])}, which the service makes for a row that leaves it blank"
    if resource.surrogate:
        own, theirs = code(resource.surrogate.id), code(resource.surrogate.source)
        return f"{theirs}; a row may name an existing record by {own}, the service's own id, which wins"
    return " or, where it is empty, ".join(code(key) for key in resource.keys)


def limits_of(field: Field) -> str:
    said = ["required to create a record"] if field.required else []
    said += [f"one of {', '.join(code(each) for each in field.options)}"] if field.options else []
    said += [f"at least {field.min}"] if field.min is not None else []
    said += [f"at most {field.max}"] if field.max is not None else []
    said += [f"at most {field.max_length:,} characters"] if field.max_length is not None else []
    said += [ITEMS[field.items]] if field.items in ITEMS else []
    said += [separation(field.separator)] if field.type == "list" and field.separator != "|" else []
    said += [f"keys of {code(field.to)}" if field.type == "list" else f"a key of {code(field.to)}"] if field.to else []
    said += [f"fills {code(field.alias_of)} where that is blank, and is not kept"] if field.alias_of else []
    said += [f"{code(field.default)} in a new record that leaves it blank"] if field.default else []
    said += [f"made from {code(field.made_from)} in a new record that leaves it blank"] if field.made_from else []
    said += [f"required in a new record whose {code(field.deep)} names one that has it as well"] if field.deep else []
    return ", ".join(said)


def separation(separator: str) -> str:
    sign = separator.strip()
    return f"separated by {code(sign)}" + (" with blanks around it" if sign != separator else "")


def field_types() -> str:
    rows = [
        (
            code(name),
            sentence(TYPES[name].description),
            ", ".join(limit_names(name)),
            "yes" if TYPES[name].may_be_key else "no",
        )
        for name in TYPES
    ]
    intro = """
The types that a field of a [declared type](../guides/own-types.md) may have. White space around numbers and dates is removed.
A key is compared trimmed and in Unicode form NFC, an e-mail address also in lower case.
"""
    return page("Field types", intro, table(("Type", "Takes", "Limits", "May be the key"), rows))


def limit_names(name: str) -> list[str]:
    return sorted(code(WIRE_NAMES.get(limit, limit)) for limit in TYPES[name].limits)


def transports() -> str:
    intro = """
What a [connection](../guides/files-from-elsewhere.md) or the `source` of an import may contain, by `transport`. `root` is the
folder that relative paths start from. For `http` and `https` an import's `source` may give `url` in place of `host`, `port`
and `path`.
"""
    return page("Transports", intro, *(transport(name) for name in RULES))


def transport(name: str) -> str:
    rows = (
        (code(camel(word)), "yes" if rule.required else "no", sentence(takes(rule)))
        for word, rule in RULES[name].items()
    )
    return f"## {name}\n\n" + table(("Member", "Required", "Takes"), rows)


def camel(word: str) -> str:
    first, *others = word.split("_")
    return first + "".join(each.capitalize() for each in others)


def takes(rule: OptionRule) -> str:
    """`must be the name of a bucket` -> `The name of a bucket`."""
    if rule.kind is dict:
        return "An object of headers that are sent along"
    text = rule.requirement.split("must be ", 1)[-1]
    return text[:1].upper() + text[1:]
