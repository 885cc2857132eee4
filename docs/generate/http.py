"""Writes the HTTP reference: a page for each surface, from its OpenAPI document and its routes."""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from fastapi.dependencies.models import Dependant

from app.errors import join_choices
from app.main import OPENAPI
from app.surfaces import SURFACES
from app.web.caller import RequireAnyScope, RequireScope
from app.web.surface import Surface
from docs.generate.markdown import code, page, sentence, table

Json = Mapping[str, Any]
# Surface -> the page's title, and where its prose is.
TITLES = {
    "connectif": ("Imports (Connectif)", "[Connectif](../../vendors/connectif.md)"),
    "voucherify": ("Customers (Voucherify)", "[Voucherify](../../vendors/voucherify.md)"),
    "cordial": ("Product imports (Cordial)", "[Cordial](../../vendors/cordial.md)"),
    "native": ("Native API", "[HTTP conventions](../conventions.md)"),
}
WORDS = {"string": "text", "integer": "whole number", "boolean": "true or false"}
NO_KEY = "none"
ANY_KEY = "any key"


def http_pages() -> dict[str, str]:
    """The pages by file name, `index.md` among them."""
    documents = {each.name: json.loads((OPENAPI / f"{each.name}.json").read_text()) for each in SURFACES.all}
    pages = {f"{each.name}.md": surface_page(each, documents[each.name]) for each in SURFACES.all}
    return {"index.md": overview(documents), **pages}


def overview(documents: Mapping[str, Json]) -> str:
    intro = """
Every operation of the service, by surface. A surface is an HTTP API: three speak a vendor's language, the native one has what no
vendor has. All work on the same imports and records. The same documents are served at `/openapi.json`, and as pages at `/docs`.
"""
    parts = []
    for surface in SURFACES.all:
        title, _ = TITLES[surface.name]
        document = documents[surface.name]
        parts += [f"## {title}", operations_table(surface, document, link=f"{surface.name}.md")]
    return page("HTTP reference", intro, *parts)


def operations_table(surface: Surface, document: Json, *, link: str = "") -> str:
    scopes = scopes_of(surface)
    rows = (
        (
            f"[{code(heading(method, path))}]({link}#{anchor(operation)})",
            scope_text(scopes, method, path),
            first(operation),
        )
        for path, method, operation in operations(document)
    )
    return table(("Operation", "Scope", "What it does"), rows)


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def heading(method: str, path: str) -> str:
    return f"{method.upper()} {path}"


def anchor(operation: Json) -> str:
    return str(operation["operationId"]).lower()


def first(operation: Json) -> str:
    return sentence(operation["description"].split("\n\n")[0])


def scopes_of(surface: Surface) -> Mapping[tuple[str, str], str]:
    """Method and path of a route -> the scope that its key needs."""
    found: dict[tuple[str, str], str] = {}
    for route in surface.routes:
        needed = [scope for each in all_dependants(route.dependant) if (scope := required_scope(each.call))]
        found |= {(method.lower(), route.path_format): ", ".join(needed) for method in route.methods or ()}
    return found


def required_scope(check: object) -> str:
    """The scope that a dependency of a route requires, or the scopes of which one will do; "" if it requires none."""
    if isinstance(check, RequireScope):
        return code(check.scope)
    return join_choices(map(code, check.scopes)) if isinstance(check, RequireAnyScope) else ""


def all_dependants(dependant: Dependant) -> Iterator[Dependant]:
    for each in dependant.dependencies:
        yield each
        yield from all_dependants(each)


def scope_text(scopes: Mapping[tuple[str, str], str], method: str, path: str) -> str:
    needed = scopes.get((method, path), "")
    if needed:
        return needed
    return NO_KEY if path in ("/healthz", "/readyz", "/metrics") else ANY_KEY


def surface_page(surface: Surface, document: Json) -> str:
    title, prose = TITLES[surface.name]
    scopes = scopes_of(surface)
    intro = f"{sentence(document['info']['description'])} Read {prose} first: it has examples and explains the rules."
    parts = [operations_table(surface, document), "## Operations"]
    parts += [
        operation_part(document, method, path, operation, scope_text(scopes, method, path))
        for path, method, operation in operations(document)
    ]
    parts += ["## Shapes", *(shape(name, each) for name, each in sorted(document["components"]["schemas"].items()))]
    return page(title, intro, *parts)


def operation_part(document: Json, method: str, path: str, operation: Json, scope: str) -> str:
    parts = [f"### {heading(method, path)} {{ #{anchor(operation)} }}", operation["description"].strip()]
    parts.append(f"Scope: {scope}." if scope != NO_KEY else "No key is needed.")
    parts += parameters(operation)
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        parts += body(document, media, content.get("schema", {}))
    rows = (
        (status, meaning(status, answer), answer_shape(answer)) for status, answer in operation["responses"].items()
    )
    parts += ["**Answers**", table(("Status", "Meaning", "Body"), rows)]
    return "\n\n".join(parts)


def meaning(status: str, answer: Json) -> str:
    """The description, or the status' own name where the framework gave the answer one that says nothing."""
    text = answer["description"]
    return HTTPStatus(int(status)).phrase if text == "Successful Response" else sentence(text)


def parameters(operation: Json) -> list[str]:
    found = operation.get("parameters", [])
    if not found:
        return []
    rows = (
        (
            code(each["name"]),
            each["in"],
            kind(each["schema"]),
            described(each["schema"] | {"description": each.get("description")}),
        )
        for each in found
    )
    return ["**Parameters**", table(("Name", "In", "Type", "Meaning"), rows)]


def body(document: Json, media: str, schema: Json) -> list[str]:
    """The parts of a form, or the members of a JSON body."""
    name = "Form parts" if "form" in media else "Body"
    properties = resolved(document, schema).get("properties")
    if not properties:
        return [f"**{name}** (`{media}`): {kind(schema)}. {sentence(schema.get('description', ''))}".strip()]
    return [f"**{name}** (`{media}`)", members(resolved(document, schema))]


def resolved(document: Json, schema: Json) -> Json:
    reference = schema.get("$ref")
    return document["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema


def shape(name: str, schema: Json) -> str:
    parts = [f"### {name} {{ #shape-{name.lower()} }}", sentence(schema.get("description", ""))]
    parts.append(members(schema) if schema.get("properties") else f"{kind(schema)}.")
    return "\n\n".join(part for part in parts if part)


def members(schema: Json) -> str:
    required = schema.get("required", ())
    rows = (
        (code(name), kind(each), "yes" if name in required else "no", described(each))
        for name, each in schema["properties"].items()
    )
    return table(("Name", "Type", "Always" if "title" in schema else "Required", "Meaning"), rows)


def kind(schema: Json) -> str:
    """The type of a value, in words."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#shape-{name.lower()})"
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(kind(each) for each in options))
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    if schema.get("format") == "binary":
        return "file"
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    names = schema.get("type", "any")
    words = " or ".join(WORDS.get(each, each) for each in ([names] if isinstance(names, str) else names))
    return f"{words} ({schema['format']})" if "format" in schema else words


def described(schema: Json) -> str:
    """Description, options, default and bounds as sentences."""
    said = [sentence(schema.get("description") or "")]
    options = schema.get("enum") or (schema.get("items") or {}).get("enum")
    said += [f"One of {', '.join(map(option, options))}."] if options else []
    said += [f"Default: {code(schema['default'])}."] if schema.get("default") not in (None, "", [], {}) else []
    low, high = schema.get("minimum"), schema.get("maximum")
    said += [f"From {low:,} to {high:,}."] if low is not None and high is not None else []
    return " ".join(each for each in said if each)


def option(value: object) -> str:
    return "null" if value is None else code(value) if value != "" else "empty"


def answer_shape(answer: Json) -> str:
    found = [
        f"{kind(content['schema'])} ({code(media)})" if content.get("schema") else code(media)
        for media, content in answer.get("content", {}).items()
    ]
    return ", ".join(found) or "none"
