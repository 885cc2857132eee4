"""`sluice inspect`: shows how a file would be read and mapped, without a service."""

from collections.abc import Mapping as Members
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from app.cli.client.files import read_json_file
from app.cli.client.printing import print_line, show_members
from app.cli.client.tables import TableColumn, print_table
from app.cli.importing.options import Delimiter, Encoding, Format
from app.cli.importing.report import PROBLEMS, print_hints
from app.declarations.types import build_resource, read_declaration
from app.errors import Misconfigured
from app.formats.records import Limits
from app.imports.plan import ReadOptions
from app.imports.preview import NO_MAPPING, preview_file
from app.imports.preview_json import preview_to_json
from app.imports.sources.head import PIECE_BYTES, FileHead, HeadReader
from app.mappings.declaring.requested import MappingChoice, build_mapping, fill_options
from app.mappings.delimiters import DELIMITERS, NOT_A_DELIMITER, parse_delimiter
from app.mappings.mapping import Mapping
from app.mappings.suggesting.field_names import HIGH
from app.resources.registry import BUILT_IN
from app.resources.schema import Resource
from app.settings import Settings

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON Lines, plain or as .gz", show_default=False)]
Type = Annotated[str, typer.Option("--type", help="Record type that the file is for")]
Declaration = Annotated[
    Path | None,
    typer.Option("--declaration", help="For a type of your own: JSON file as `sluice types put` takes it"),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping-file", help="File with a mapping as JSON: what it says of a column counts, and so do its options"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else, with a mapping to store")]


def heading_of(column: Members[str, Any]) -> str:
    return column["column"] or f"Column {column['position'] + 1}"


COLUMNS: Final = (
    TableColumn("COLUMN", heading_of, cut=True),
    TableColumn("FIELD", "field", cut=True),
    TableColumn("SURE", lambda each: f"{each['confidence']:.0%}" if "field" in each else ""),
    TableColumn("REASON", "reason"),
    TableColumn("CONVERSIONS", lambda each: show_members(each.get("conversions")), cut=True, spare=True),
    TableColumn("VALUES", lambda each: " · ".join(each["samples"]), cut=True),
)
DOUBTED: Final = (
    TableColumn("COLUMN", heading_of, cut=True),
    TableColumn("FIELD", "field", cut=True),
    TableColumn("WHY", "why", wraps=True),
)


def inspect(
    file: File,
    *,
    type: Type,
    declaration: Declaration = None,
    mapping_file: MappingFile = None,
    delimiter: Delimiter = "auto",
    encoding: Encoding = None,
    format: Format = None,
    as_json: AsJson = False,
) -> None:
    """Show how a file would be read, which column fills which field, and what is wrong with it.

    It looks at the first 1,000 rows, needs no service, and sends nothing anywhere.
    """
    resource = find_resource(type, declaration)
    mapping = read_mapping(mapping_file, type)
    read = fill_options(
        {"delimiter": delimiter if delimiter != "auto" else "", "encoding": encoding, "format": format}, mapping
    )
    character = parse_delimiter(read["delimiter"] or "auto")
    if character is None:
        raise Misconfigured(NOT_A_DELIMITER)
    head, options = read_head(file, read["encoding"]), ReadOptions(read["format"], character)
    preview = preview_file(head, resource, options, limits=Limits(), mapping=mapping)
    shown = preview_to_json(preview, type, mapping)
    if as_json:
        typer.echo(msgspec.json.encode(shown))
    else:
        print_preview(file.name, shown)


def read_mapping(path: Path | None, type: str) -> Mapping:
    """Raises Refused("invalid"), and what `read_json_file` raises."""
    if path is None:
        return NO_MAPPING
    body = {member: value for member, value in read_json_file(path).items() if member != "name"}
    return build_mapping(MappingChoice(type, body=body)) or NO_MAPPING


def find_resource(name: str, declaration: Path | None) -> Resource:
    """Raises Refused: not_found, invalid."""
    if declaration is not None:
        return read_declaration(name, read_json_file(declaration))[0]
    if name not in BUILT_IN:
        raise Misconfigured(
            f'"{name}" is no built-in type, and no service is asked. Save what `sluice types show {name} --json` '
            "prints, and name that file with --declaration"
        )
    return build_resource(name, None)


def read_head(path: Path, encoding: str | None) -> FileHead:
    """Raises Refused for a file that is not text, and Misconfigured if it cannot be read."""
    defaults = Settings.model_fields
    reader = HeadReader(encoding, limit=defaults["max_file_bytes"].default, ratio=defaults["unpack_ratio"].default)
    try:
        with path.open("rb") as file:
            while not reader.full and (piece := file.read(PIECE_BYTES)):
                reader.feed(piece)
    except OSError as error:
        raise Misconfigured(f"The file {path} cannot be read: {error.strerror or error}") from None
    return reader.finish(path.name)


def print_preview(name: str, preview: Members[str, Any]) -> None:
    dialect = preview["dialect"]
    words = {character: word for word, character in DELIMITERS.items()}
    read = f", delimiter {words[dialect['delimiter']]}" if dialect["format"] == "csv" else ""
    header = "" if dialect["hasHeader"] else ", no header"
    print_line(f"{name}: {dialect['format']}{read}, {dialect['encoding']}{header}; {preview['rows']:,} rows read\n")
    print_table(COLUMNS, preview["columns"])
    doubted = [each for each in preview["columns"] if "field" in each and each["confidence"] < HIGH]
    if doubted:
        print_line("\nLook at these again:")
        print_table(DOUBTED, doubted)
    for fields in preview["missing"]:
        print_line(f"\nRequired, and no column fills it: {' or '.join(fields)}")
    if preview["problems"]:
        print_line(f"\nRows with a problem: {preview['failed']:,}")
        print_table(PROBLEMS, preview["problems"])
        print_hints(each.get("hint", "") for each in preview["problems"])
    elif preview["checked"]:
        print_line("\nNo problem in these rows")
