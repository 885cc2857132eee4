"""`sluice records …`: lists, shows, writes and deletes stored records."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from app.cli.client.files import read_json_text
from app.cli.client.http import build_path, connect, fetch_pages, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Limit, Url
from app.cli.client.printing import print_facts, print_json, print_line, show_time
from app.cli.client.tables import TableColumn, print_pages

records = typer.Typer()

RecordType = Annotated[str, typer.Argument(metavar="TYPE", help="Record type: contacts, products, or another")]
RecordKey = Annotated[str, typer.Argument(metavar="KEY", help="Key of the record, such as an e-mail address")]
RecordFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="JSON file with the fields of the record; `-` for standard input")
]

LISTED: Final = (
    TableColumn("KEY", "key", cut=True),
    TableColumn("UPDATED", "updatedAt", show=show_time, spare=True),
    TableColumn("IMPORT", "importId", spare=True),
    TableColumn("DATA", "data", cut=True, least=32),
)


@records.command("list")
def list_records(
    type: RecordType, *, limit: Limit = 100, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """List the records of a type, ordered by key."""
    with connect(url, key, as_json=as_json) as client:
        print_pages(LISTED, fetch_pages(client, build_path("records", type), limit=limit), as_json=as_json)


@records.command("show")
def show_record(
    type: RecordType, record_key: RecordKey, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Show a record with all of its fields."""
    with connect(url, key, as_json=as_json) as client:
        print_record(get_object(client, build_path("records", type, record_key)), as_json=as_json)


def print_record(record: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    times = {"Created": show_time(record["createdAt"]), "Updated": show_time(record["updatedAt"])}
    print_facts({"Type": record["type"], "Key": record["key"], **times, "Import": record["importId"]})
    print_line("")
    print_facts(record["data"])


@records.command("put")
def put_record(
    type: RecordType,
    record_key: RecordKey,
    file: RecordFile,
    *,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Create a record, or replace all that it holds."""
    send_record("PUT", (type, record_key), file, url=url, key=key, as_json=as_json)


@records.command("patch")
def patch_record(
    type: RecordType,
    record_key: RecordKey,
    file: RecordFile,
    *,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Change fields of a record, and leave the others as they are."""
    send_record("PATCH", (type, record_key), file, url=url, key=key, as_json=as_json)


def send_record(method: str, named: tuple[str, str], file: Path, *, url: str, key: str, as_json: bool) -> None:
    """`named`: the type and the key of the record."""
    headers = {"Content-Type": "application/json"}
    with connect(url, key, as_json=as_json) as client:
        answer = request(client, method, build_path("records", *named), content=read_json_text(file), headers=headers)
        print_record(read_object(answer), as_json=as_json)


@records.command("delete")
def delete_record(
    type: RecordType, record_key: RecordKey, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Delete a record. An import that has yet to reach it creates it again."""
    with connect(url, key, as_json=as_json) as client:
        request(client, "DELETE", build_path("records", type, record_key))
    if not as_json:
        print_line(f"Record {record_key} is deleted")
