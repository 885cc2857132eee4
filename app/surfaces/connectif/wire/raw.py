"""The request that starts an import of its own body, for OpenAPI: the options are in the query."""

from typing import Any, Final

from app.errors import join_choices
from app.surfaces.connectif.wire.request import MEMBERS
from app.web.bodies.raw import MEDIA_TYPES

# What says where the file is says nothing here, and a mapping as JSON is known but too long for most addresses.
ELSEWHERE: Final = frozenset({"source", "connectionId", "path"})
OPTIONS: Final = frozenset(MEMBERS) - ELSEWHERE
DESCRIBED: Final = {name: MEMBERS[name] for name in MEMBERS if name in OPTIONS and name != "mapping"}
FROM_FILE: Final = (
    "Start an import of the body, with the options in the query. The body is the file as it is, plain or gzipped: "
    f"{join_choices(MEDIA_TYPES)}. `POST /imports` takes it as well. What is left out has the defaults of `POST "
    "/connections/{connection_id}/imports`. The header `Content-Disposition` may say how the file is called."
)


def describe_parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    described = {word: value for word, value in schema.items() if word not in ("description", "examples")}
    if "title" in described:  # a component, which the body of POST /imports defines
        described = {"$ref": f"#/components/schemas/{described['title']}"}
    about = f"The default is {DEFAULTS[name]}" if name in DEFAULTS else schema["description"]
    return {"name": name, "in": "query", "required": name == "type", "description": about, "schema": described}


DEFAULTS: Final = {
    "overrideExisting": "true: existing records are updated",
    "updateOnlyEmptyFields": "false. With true only the empty fields of existing records are filled",
    "delimiter": "auto, and tab for text/tab-separated-values. The words comma, semicolon, tab and pipe are taken",
    "encoding": "that of the header `Content-Type`, or utf-8",
}
# One media type: generators cope with no more.
RAW_REQUEST: Final[dict[str, Any]] = {
    "parameters": [describe_parameter(name, schema) for name, schema in DESCRIBED.items()],
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
}
