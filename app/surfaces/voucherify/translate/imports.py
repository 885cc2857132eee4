"""Turns a CSV file or a list of JSON customers into a submission."""

from typing import Final

from app.auth.caller import Caller
from app.errors import Complaint, Refused, describe
from app.imports.examine import Upload
from app.imports.intake import Submission
from app.imports.plan import Options, ReadOptions
from app.mappings.mapping import MappedColumn, Mapping
from app.resources.field_types import BadCell, convert_any_value
from app.surfaces.voucherify.vocabulary import ADDRESS_PARTS, HEADINGS
from app.web.bodies.upload import Form

TYPE: Final = "customers"
METADATA_CHARACTERS: Final = 65_536  # of the metadata that every customer of a list gets
PLAIN_FIELDS: Final[tuple[str, ...]] = ("id", "source_id", "name", "email", "phone", "birthdate", "description")
CSV_MAPPING: Final = Mapping(
    tuple(MappedColumn(heading, field) for heading, field in HEADINGS.items()), matching="caseless"
)


def csv_submission(caller: Caller, form: Form, *, request_id: str) -> Submission:
    """A customer gets the columns of the file, an empty cell clears its field, and a row that names no customer
    creates one (DECISIONS §5). Raises Refused("invalid")."""
    if form.upload is None:
        raise required_property("file")
    if form.complaints:
        raise Refused("invalid", describe(form.complaints), form.complaints)
    return Submission(
        account_id=caller.account_id,
        sender=caller.identity,
        origin="voucherify.csv",
        type=TYPE,
        file=form.upload,
        read=ReadOptions(format="csv", delimiter=",", prescribed=True),
        mapping=CSV_MAPPING,
        options=Options(blank_cells="clear", anonymous=True),
        request_id=request_id,
    )


def required_property(name: str) -> Refused:
    """In the words of the vendor's reference."""
    reason = f"Payload should have required property '{name}'"
    return Refused("invalid", reason, [Complaint(name, reason)])


def list_submission(
    caller: Caller, upload: Upload, *, request_id: str, metadata: dict[str, object] | None = None
) -> Submission:
    """A list of customers, or with `metadata` a list of ids of customers who all get it. Raises Refused("invalid")."""
    return Submission(
        account_id=caller.account_id,
        sender=caller.identity,
        origin="voucherify.bulk" if metadata is None else "voucherify.metadata",
        type=TYPE,
        file=upload,
        read=ReadOptions(format="jsonl", prescribed=True),
        mapping=Mapping(constants=build_constants(metadata or {})),
        options=Options(blank_cells="clear", ledger=True),
        request_id=request_id,
    )


def build_constants(metadata: dict[str, object]) -> dict[str, str]:
    """The metadata as fields and their JSON text. Raises Refused("invalid") for a value that cannot be stored, and for
    more than METADATA_CHARACTERS."""
    constants = {f"metadata.{name}": convert_any_value(value) for name, value in metadata.items()}
    for name, value in constants.items():
        if isinstance(value, BadCell) or "\0" in name:
            reason = f"Property .{name} cannot be stored"
            raise Refused("invalid", reason, [Complaint(name, reason)])
    if sum(len(name) + len(str(value)) for name, value in constants.items()) > METADATA_CHARACTERS:
        reason = f"Property .metadata should NOT be longer than {METADATA_CHARACTERS} characters"
        raise Refused("invalid", reason, [Complaint("metadata", reason)])
    return {name: str(value) for name, value in constants.items()}


def flatten_customer(item: dict[str, object]) -> object:
    """A JSON customer as a record of the engine. If it is not a customer it becomes a string, and its row fails."""
    record = {name: item[name] for name in PLAIN_FIELDS if name in item}
    if "birthdate" not in item and "birthday" in item:
        record["birthdate"] = item["birthday"]
    address, metadata = item.get("address", {}), item.get("metadata", {})
    if address is None:
        address = dict.fromkeys(ADDRESS_PARTS)
    if not isinstance(address, dict) or not isinstance(metadata, dict | None):
        return "address and metadata must be objects"
    record |= {f"address.{part}": address[part] for part in ADDRESS_PARTS if part in address}
    return record | {f"metadata.{name}": value for name, value in (metadata or {}).items()}
