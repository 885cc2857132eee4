"""Builds the OpenAPI document of a surface from its routes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from app.throttle import Allowance
from app.web.shapes import ProblemDocument
from app.web.surface import Security, Surface

VERSION: Final = "1"

SECURITY_SCHEMES: Final[dict[str, Any]] = {
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The word `apiKey`, a space, and the key: `Authorization: apiKey <id>:<secret>`",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The key `<id>:<secret>`, or an access token from `POST /v1/oauth/token`",
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
SECURITY: Final = Security(SECURITY_SCHEMES, ({"apiKey": []}, {"bearer": []}, {"basic": []}, KEY_PAIR))
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
    document = build_document(surface.title, surface.description, surface.router.routes, surface.security or SECURITY)
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
    document = get_openapi(title=title, version=VERSION, description=description, routes=routes)
    document.setdefault("components", {})["securitySchemes"] = security.schemes
    document["security"] = security.enough
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"] = dict(list_responses(operation, problem=not path.startswith("/imports")))
    for name in FRAMEWORK_SCHEMAS:
        document["components"].get("schemas", {}).pop(name, None)
    return document


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
