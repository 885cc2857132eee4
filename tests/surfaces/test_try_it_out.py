"""What the page at /docs has filled in for "Try it out" is accepted by the service as it stands."""

import json
from pathlib import Path
from secrets import token_hex
from typing import Any

import fastapi_offline
import httpx

from tests.support.environments import needs_node, run
from tests.support.live import Live

PROGRAM = Path(__file__).resolve().parents[1] / "sdk" / "node" / "prefilled.cjs"
BUNDLE = Path(fastapi_offline.__file__).parent / "static" / "swagger-ui-bundle.js"
# What a reader chooses, for the page cannot fill it in: a file, and a name in a path.
FILES = {
    "/imports": "_email,_name\nkim@example.org,Kim\n",
    "/imports/file": "_email,_name\nkim@example.org,Kim\n",
    "/mappings/suggest": "E-Mail,Vorname\nkim@example.org,Kim\n",
    "/v1/customers/importCSV": "source_id,name\nkim,Kim\n",
    "/v2/productimports/": "productID,productName\nA-2,Steel rod\n",
}
NAMES = {
    "name": "parts",
    "type": "contacts",
    "key": "ann@example.com",
    "set_id": "spring",
    "mapping_id": "map_0",
    "webhook_id": "0",
}
IDS = (
    "connection_id",
    "import_id",
    "export_id",
    "person_id",
    "run_id",
    "sync_id",
    "feed_id",
    "schedule_id",
    "webhook_id",
)
NAMES |= dict.fromkeys(IDS, "0" * 24)
# The connection, the run, the person or the token that the request names is nobody's.
UNKNOWN = (
    "{connection_id}",
    "{mapping_id}",
    "{sync_id}",
    "{feed_id}",
    "{schedule_id}",
    "{person_id}",
    "{webhook_id}",
    "{webhook_id}/test",
    "{webhook_id}/rotate",
    "{sync_id}/runs",
    "/test-import",
    "/test-export",
    "{connection_id}/imports",
    "{sync_id}/runs",
    "/rerun",
    "/rerun/",
    "/resume",
    "/retry",
    "/commit",
    "/undo",
    "/corrections",
    "/token/revoke",
)
# Cordial's API looks for the server of the file before it answers, and the example's has none.
NO_SERVER = "STORAGE_CONNECTION_ERROR"
NO_CONNECTION = "There is no connection with this id"


def is_accepted(path: str, answer: httpx.Response) -> bool:
    unknown = answer.status_code == 404 and path.endswith(UNKNOWN)
    closed = answer.status_code == 403 and path.startswith("/admin/")  # the key of an account opens nothing there
    return (
        answer.is_success
        or unknown
        or closed
        or (answer.status_code == 422 and any(each in answer.text for each in (NO_SERVER, NO_CONNECTION)))
    )


def send(client: httpx.Client, prefilled: dict[str, Any], path: str) -> httpx.Response:
    method, media_type = prefilled["method"], prefilled["mediaType"]
    if media_type == "application/json":
        return client.request(method, path, content=prefilled["text"], headers={"Content-Type": media_type})
    file = FILES.get(prefilled["path"])
    if media_type == "application/octet-stream":
        query = {"type": "contacts"}
        return client.request(method, path, content=file, headers={"Content-Type": media_type}, params=query)
    files = {} if file is None else dict.fromkeys(prefilled["files"], ("file.csv", file, "text/csv"))
    return client.request(method, path, data=prefilled["form"], files=files or None)


@needs_node
def test_every_request_is_accepted_as_the_page_has_filled_it_in(live: Live, tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    document.write_bytes(httpx.get(f"{live.url}/openapi.json", timeout=60).content)
    prefilled = json.loads(run(["node", str(PROGRAM), str(BUNDLE), str(document)]))
    operations = [
        path
        for path, methods in json.loads(document.read_bytes())["paths"].items()
        for method, operation in methods.items()
        if method in ("post", "put") and "requestBody" in operation
    ]
    assert sorted(each["path"] for each in prefilled) == sorted(operations)
    refused = {}
    with httpx.Client(base_url=live.url, timeout=30) as client:
        for each in prefilled:
            # An account for each: the imports of one would wait for sources that are nowhere, until its queue is full.
            client.headers["Authorization"] = f"Bearer {live.key(f'tries-{token_hex(4)}')}"
            answer = send(client, each, each["path"].format(**NAMES))
            if not is_accepted(each["path"], answer):
                refused[f"{each['method']} {each['path']}"] = (answer.status_code, answer.text)
    assert not refused
