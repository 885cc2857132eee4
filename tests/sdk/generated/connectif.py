"""Imports a file with the Python client made from openapi/connectif.json and polls it to its end; prints JSON.

Run with the generated package `connectif_client` on the path, the service in BASE_URL the key in API_KEY
and the address of a file in SOURCE.
"""

import json
import os
import time
from io import BytesIO

from connectif_client import AuthenticatedClient
from connectif_client.api.imports import (
    create_import,
    create_import_from_file,
    create_import_from_source,
    delete_import,
    get_import,
    list_imports,
)
from connectif_client.models import (
    Delimiter,
    Import,
    ImportForm,
    ImportFormOverrideExisting,
    ImportFormUpdateOnlyEmptyFields,
    ImportFromSource,
    ImportSource,
    ImportSourceTransport,
    ImportStatus,
    ProblemDocument,
)
from connectif_client.types import File

FILE = "_email,_name,_points\njohn@example.org,Jôhn,10\nsteve@example.org,Steve,many\n"
WAITS = (ImportStatus.QUEUED, ImportStatus.INPROGRESS)


def client_with(key: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=os.environ["BASE_URL"], token=key, raise_on_unexpected_status=True)


def body(encoding: str) -> ImportForm:
    return ImportForm(
        type_="contacts",
        file=File(payload=BytesIO(FILE.encode(encoding)), file_name="contacts.csv", mime_type="text/csv"),
        delimiter=Delimiter.COMMA,
        override_existing=ImportFormOverrideExisting.TRUE,
        update_only_empty_fields=ImportFormUpdateOnlyEmptyFields.FALSE,
        encoding=encoding,
    )


def source() -> ImportFromSource:
    return ImportFromSource(
        type_="contacts",
        source=ImportSource(transport=ImportSourceTransport.HTTP, url=os.environ["SOURCE"]),
        delimiter=Delimiter.COMMA,
        override_existing=True,
        update_only_empty_fields=False,
    )


def ended(client: AuthenticatedClient, found: Import | ProblemDocument | None) -> Import:
    assert isinstance(found, Import), found
    while found.status in WAITS:
        time.sleep(0.1)
        found = get_import.sync(found.id, client=client)
        assert isinstance(found, Import), found
    return found


def main() -> None:
    client = client_with(os.environ["API_KEY"])
    done = ended(client, create_import.sync(client=client, body=body("utf-8")))
    pulled = ended(client, create_import_from_source.sync(client=client, body=source()))
    whole = File(payload=BytesIO(FILE.encode()))
    sent = ended(client, create_import_from_file.sync(client=client, type_="contacts", name="Whole", body=whole))
    listed = list_imports.sync(client=client, page_size=1)
    deleted = delete_import.sync_detailed(done.id, client=client)
    refused = create_import.sync(client=client_with("wrong:key"), body=body("utf-8"))
    missing = get_import.sync("0" * 24, client=client)
    assert isinstance(refused, ProblemDocument)
    assert isinstance(missing, ProblemDocument)
    told = {
        "import": done.to_dict(),
        "pulled": pulled.to_dict(),
        "sent": sent.to_dict(),
        "listed": [each.id for each in listed.results],
        "deleted": deleted.status_code,
        "refused": refused.to_dict(),
        "missing": missing.to_dict(),
    }
    print(json.dumps(told))


main()
