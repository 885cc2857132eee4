"""Builds the OpenAPI document of a surface from its routes."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any, Final

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from app.throttle import Allowance
from app.web.shapes import ProblemDocument
from app.web.surface import Security, Surface

SECURITY_SCHEMES: Final[dict[str, Any]] = {
    # First, because clients that are given the key alone send it in the first way that they know.
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The key `<id>:<secret>`, or an access token from `POST /v1/oauth/token`",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The word `apiKey`, a space, and the key: `Authorization: apiKey <id>:<secret>`",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The id of the key as user name, its secret as password",
    },
    "appId": {"type": "apiKey", "in": "header", "name": "X-App-Id", "description": "The id of the key"},
    "appToken": {"type": "apiKey", "in": "header", "name": "X-App-Token", "description": "The secret of the key"},
}
KEY_PAIR: Final[dict[str, list[str]]] = {"appId": [], "appToken": []}
SECURITY: Final = Security(SECURITY_SCHEMES, ({"bearer": []}, {"apiKey": []}, {"basic": []}, KEY_PAIR))
PUBLIC: Final[dict[str, Any]] = {"security": []}  # for a route that requires no key
PROBLEM_JSON: Final = "application/problem+json"
# What the framework adds for validation errors, which we render in our own shape.
FRAMEWORK_SCHEMAS: Final = ("HTTPValidationError", "ValidationError")


def operation_id(route: APIRoute) -> str:
    """`create_import` -> `createImport`: the name of the method in a generated client."""
    first, *others = route.name.split("_")
    return first + "".join(word.capitalize() for word in others)


def build_openapi(surface: Surface) -> dict[str, Any]:
    """The OpenAPI document of a surface."""
    document = build_document(surface.title, surface.description, surface.routes, surface.security or SECURITY)
    for operations in document["paths"].values():
        for operation in operations.values():
            declare_rate_headers(operation["responses"], surface)
    return document


def declare_rate_headers(responses: dict[str, dict[str, Any]], surface: Surface) -> None:
    """Documents the headers of the rate limit in successful responses and in 429."""
    for status, response in responses.items():
        if status.startswith("2"):
            response["headers"] = header_schemas(surface.rate_headers(Allowance(1, 0, 0))) | response.get("headers", {})
        if status == "429":
            response["headers"] = header_schemas({"Retry-After": "1", **surface.rate_headers(Allowance(1, 0, 0, 1))})


def header_schemas(headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: {"schema": {"type": "integer"} if value.isdigit() else {"type": "string", "examples": [value]}}
        for name, value in headers.items()
    }


def build_document(
    title: str, description: str, routes: Sequence[BaseRoute], security: Security = SECURITY
) -> dict[str, Any]:
    version = metadata.version("sluice")
    document = get_openapi(title=title, version=version, description=description, routes=routes)
    document.setdefault("components", {})["securitySchemes"] = security.schemes
    document["security"] = security.enough
    schemas = document["components"].setdefault("schemas", {})
    for operations in document["paths"].values():
        for operation in operations.values():
            name_refusals(operation["responses"], schemas)
    schemas = dict(sorted(each for each in schemas.items() if each[0] not in FRAMEWORK_SCHEMAS))
    document["components"]["schemas"] = schemas
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"] = dict(list_responses(operation, problem=not path.startswith("/imports")))
            name_schemas(operation.get("requestBody", {}), schemas)
    return document


def name_refusals(responses: dict[str, dict[str, Any]], schemas: dict[str, Any]) -> None:
    """Moves the schemas of errors, which `describe_refusal` has written into the responses, to the components."""
    for response in responses.values():
        content = response.get("content", {}).get("application/json", {})
        named = content.get("schema", {})
        if "$defs" in named or "properties" in named:
            schemas |= named.pop("$defs", {})
            schemas[named["title"]] = named
            content["schema"] = {"$ref": f"#/components/schemas/{named['title']}"}


def name_schemas(described: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Moves the schemas with a title, in a part of a document, to the components, and refers to them: generators of
    clients name their models by that. Beside a reference stays what describes its place. Raises ValueError if two
    schemas have one title."""
    for member, value in described.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                name_schemas(each, schemas)
        if isinstance(value, dict) and isinstance(value.get("title"), str):
            described[member] = refer(value, schemas)


def refer(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    title = schema["title"]
    here = {word: schema[word] for word in ("description", "examples") if word in schema}
    # What an object is, is the same in every place; what a value is for, is not.
    named = schema if "properties" in schema else {word: schema[word] for word in schema if word not in here}
    if schemas.setdefault(title, named) != named:
        raise ValueError(f"Two schemas have the title {title}")
    return {"$ref": f"#/components/schemas/{title}"} | here


def list_responses(operation: dict[str, Any], *, problem: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The responses of an operation by status, without the framework's own 422. With `problem` (outside /imports) the
    media type of errors is that of problem documents."""
    for status, response in sorted(operation["responses"].items()):
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        refers = str(schema.get("$ref", "")).rpartition("/")[2]
        if refers in FRAMEWORK_SCHEMAS:
            continue
        as_problem = problem and refers == ProblemDocument.__name__
        content = {PROBLEM_JSON: {"schema": schema}} if as_problem else response.get("content")
        yield status, response | ({"content": content} if content else {})
