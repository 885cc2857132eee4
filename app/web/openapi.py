"""The OpenAPI description of a surface, from its routes."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from app.web.surface import Surface

VERSION: Final = "1"

SECURITY_SCHEMES: Final[dict[str, Any]] = {
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The word `apiKey`, a blank, and the key: `Authorization: apiKey <id>:<secret>`",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "The key `<id>:<secret>` as the token"},
    "basic": {"type": "http", "scheme": "basic", "description": "The key's id as user name, its secret as password"},
    "appId": {"type": "apiKey", "in": "header", "name": "X-App-Id", "description": "The key's id"},
    "appToken": {"type": "apiKey", "in": "header", "name": "X-App-Token", "description": "The key's secret"},
}
SECURITY: Final[list[dict[str, list[str]]]] = [
    {"apiKey": []},
    {"bearer": []},
    {"basic": []},
    {"appId": [], "appToken": []},
]
OPEN: Final[dict[str, Any]] = {"security": []}  # for a route that needs no key
PROBLEM: Final = "application/problem+json"
# What the framework adds for a validation that we answer in our own shape.
NOT_OURS: Final = ("HTTPValidationError", "ValidationError")


def operation_id(route: APIRoute) -> str:
    """`create_import` -> `createImport`: what a generated client's method is called."""
    first, *others = route.name.split("_")
    return first + "".join(word.capitalize() for word in others)


def described(surface: Surface) -> dict[str, Any]:
    """The surface as an OpenAPI document."""
    return document(surface.title, surface.description, surface.router.routes)


def document(title: str, description: str, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    described = get_openapi(title=title, version=VERSION, description=description, routes=routes)
    described.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
    described["security"] = SECURITY
    for path, operations in described["paths"].items():
        for operation in operations.values():
            operation["responses"] = dict(responses(operation, problem="/imports" not in path))
    for name in NOT_OURS:
        described["components"].get("schemas", {}).pop(name, None)
    return described


def responses(operation: dict[str, Any], *, problem: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The operation's answers by status, without the framework's own 422; with `problem` (outside /imports) a failure
    has the media type that is made for it."""
    for status, response in sorted(operation["responses"].items()):
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        refers = str(schema.get("$ref", "")).rpartition("/")[2]
        if refers in NOT_OURS:
            continue
        content = {PROBLEM: {"schema": schema}} if problem and refers == "Problem" else response.get("content")
        yield status, response | ({"content": content} if content else {})
