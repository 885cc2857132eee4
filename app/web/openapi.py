"""The OpenAPI description of a surface, from its routes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from app.throttle import Allowance
from app.web.surface import Security, Surface

VERSION: Final = "1"

SECURITY_SCHEMES: Final[dict[str, Any]] = {
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The word `apiKey`, a blank, and the key: `Authorization: apiKey <id>:<secret>`",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The key `<id>:<secret>`, or an access token of `POST /v1/oauth/token`",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "The key's id as user name, its secret as password"},
    "appId": {"type": "apiKey", "in": "header", "name": "X-App-Id", "description": "The key's id"},
    "appToken": {"type": "apiKey", "in": "header", "name": "X-App-Token", "description": "The key's secret"},
}
KEY_PAIR: Final[dict[str, list[str]]] = {"appId": [], "appToken": []}
SECURITY: Final = Security(SECURITY_SCHEMES, ({"apiKey": []}, {"bearer": []}, {"basic": []}, KEY_PAIR))
PUBLIC: Final[dict[str, Any]] = {"security": []}  # for a route that needs no key
PROBLEM_JSON: Final = "application/problem+json"
# What the framework adds for a validation that we answer in our own shape.
FRAMEWORK_SCHEMAS: Final = ("HTTPValidationError", "ValidationError")


def operation_id(route: APIRoute) -> str:
    """`create_import` -> `createImport`: what a generated client's method is called."""
    first, *others = route.name.split("_")
    return first + "".join(word.capitalize() for word in others)


def build_openapi(surface: Surface) -> dict[str, Any]:
    """The surface as an OpenAPI document."""
    whole = build_document(surface.title, surface.description, surface.router.routes, surface.security or SECURITY)
    for operations in whole["paths"].values():
        for operation in operations.values():
            declare_rate_headers(operation["responses"], surface)
    return whole


def declare_rate_headers(list_responses: dict[str, dict[str, Any]], surface: Surface) -> None:
    """Where clients read them: in what went well, and in the refusal for too many requests."""
    for status, response in list_responses.items():
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
    build_openapi = get_openapi(title=title, version=VERSION, description=description, routes=routes)
    build_openapi.setdefault("components", {})["securitySchemes"] = security.schemes
    build_openapi["security"] = security.enough
    for path, operations in build_openapi["paths"].items():
        for operation in operations.values():
            operation["responses"] = dict(list_responses(operation, problem=not path.startswith("/imports")))
    for name in FRAMEWORK_SCHEMAS:
        build_openapi["components"].get("schemas", {}).pop(name, None)
    return build_openapi


def list_responses(operation: dict[str, Any], *, problem: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The operation's answers by status, without the framework's own 422; with `problem` (outside /imports) a failure
    has the media type that is made for it."""
    for status, response in sorted(operation["responses"].items()):
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        refers = str(schema.get("$ref", "")).rpartition("/")[2]
        if refers in FRAMEWORK_SCHEMAS:
            continue
        content = (
            {PROBLEM_JSON: {"schema": schema}} if problem and refers == "ProblemDocument" else response.get("content")
        )
        yield status, response | ({"content": content} if content else {})
