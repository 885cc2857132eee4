"""Imports a file with the Python client made from openapi/connectif.json and polls it to its end; prints JSON.

Run with the generated package `connectif_client` on the path, the service in BASE_URL and the key in API_KEY.
"""

import json
import os
import time
from io import BytesIO

from connectif_client import AuthenticatedClient
from connectif_client.api.imports import create_import, delete_import, get_import, list_imports
from connectif_client.models import CreateImportBody, Import, ImportStatus, ProblemDocument
from connectif_client.models.create_import_body_delimiter import CreateImportBodyDelimiter
from connectif_client.models.create_import_body_override_existing import CreateImportBodyOverrideExisting
from connectif_client.models.create_import_body_update_only_empty_fields import CreateImportBodyUpdateOnlyEmptyFields
from connectif_client.types import File

FILE = "_email,_name,_points\njohn@example.org,Jôhn,10\nsteve@example.org,Steve,many\n"
WAITS = (ImportStatus.QUEUED, ImportStatus.INPROGRESS)


def client_with(key: str) -> AuthenticatedClient:
    return AuthenticatedClient(
        base_url=os.environ["BASE_URL"], token=key, prefix="apiKey", raise_on_unexpected_status=True
    )


def body(encoding: str) -> CreateImportBody:
    return CreateImportBody(
        type_="contacts",
        file=File(payload=BytesIO(FILE.encode(encoding)), file_name="contacts.csv", mime_type="text/csv"),
        delimiter=CreateImportBodyDelimiter.VALUE_0,
        override_existing=CreateImportBodyOverrideExisting.TRUE,
        update_only_empty_fields=CreateImportBodyUpdateOnlyEmptyFields.FALSE,
        encoding=encoding,
    )


def imported(client: AuthenticatedClient, encoding: str) -> Import:
    found = create_import.sync(client=client, body=body(encoding))
    assert isinstance(found, Import), found
    while found.status in WAITS:
        time.sleep(0.1)
        found = get_import.sync(found.id, client=client)
        assert isinstance(found, Import), found
    return found


def main() -> None:
    client = client_with(os.environ["API_KEY"])
    done = imported(client, "utf-8")
    listed = list_imports.sync(client=client, page_size=1)
    deleted = delete_import.sync_detailed(done.id, client=client)
    refused = create_import.sync(client=client_with("wrong:key"), body=body("utf-8"))
    missing = get_import.sync("0" * 24, client=client)
    assert isinstance(refused, ProblemDocument)
    assert isinstance(missing, ProblemDocument)
    told = {
        "import": done.to_dict(),
        "listed": [each.id for each in listed.results],
        "deleted": deleted.status_code,
        "refused": refused.to_dict(),
        "missing": missing.to_dict(),
    }
    print(json.dumps(told))


main()
