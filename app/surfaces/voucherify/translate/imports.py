"""A CSV file or a list of JSON customers into a submission."""

from collections.abc import Mapping

from app.errors import Complaint, Refused, describe
from app.imports.examine import Upload
from app.imports.intake import Submission
from app.imports.plan import Options, ReadOptions
from app.mappings.mapping import MappedColumn
from app.mappings.mapping import Mapping as FieldMapping
from app.resources.cells import BadCell, convert_any_value
from app.runs.model import AccountId
from app.surfaces.voucherify.vocabulary import HEADINGS, PARTS
from app.web.bodies.upload import Form

TYPE = "customers"
LONGEST_METADATA = 65_536  # characters that every customer of a list gets
CUSTOMERS = FieldMapping(tuple(MappedColumn(*each) for each in HEADINGS.items()), ignore_case=True)
PLAIN = ("id", "source_id", "name", "email", "phone", "birthdate", "description")


def csv_of(form: Form) -> Upload:
    """The form's file. Raises Refused("invalid")."""
    if form.upload is None:
        raise lacking("file")
    if form.complaints:
        raise Refused("invalid", describe(form.complaints), form.complaints)
    return form.upload


def lacking(name: str) -> Refused:
    """In the words of the vendor's reference."""
    told = f"Payload should have required property '{name}'"
    return Refused("invalid", told, [Complaint(name, "is required")])


def of_csv(account_id: AccountId, upload: Upload, *, request_id: str) -> Submission:
    """Given columns are merged, an empty cell clears, a row that names nobody is a new customer (DECISIONS §5)."""
    return Submission(
        account_id=account_id,
        origin="voucherify.csv",
        type=TYPE,
        file=upload,
        read=ReadOptions(format="csv", delimiter=","),
        mapping=CUSTOMERS,
        options=Options(blank_cells="clear", anonymous=True),
        request_id=request_id,
    )


def of_items(
    account_id: AccountId, upload: Upload, *, request_id: str, metadata: Mapping[str, object] | None = None
) -> Submission:
    """A list of customers, or with `metadata` a list of ids of customers who all get it."""
    return Submission(
        account_id=account_id,
        origin="voucherify.bulk" if metadata is None else "voucherify.metadata",
        type=TYPE,
        file=upload,
        read=ReadOptions(format="jsonl"),
        mapping=FieldMapping(constants=constants(metadata or {})),
        options=Options(blank_cells="clear", ledger=True),
        request_id=request_id,
    )


def constants(metadata: Mapping[str, object]) -> dict[str, str]:
    """Raises Refused("invalid") for a value that cannot be stored, and for more than all rows can carry."""
    written = {f"metadata.{name}": convert_any_value(value) for name, value in metadata.items()}
    for name, value in written.items():
        if isinstance(value, BadCell) or "\0" in name:
            raise Refused("invalid", f"{name}: is not JSON that can be stored", [Complaint(name, "cannot be stored")])
    if sum(len(name) + len(str(value)) for name, value in written.items()) > LONGEST_METADATA:
        told = f"Property .metadata should NOT be longer than {LONGEST_METADATA} characters"
        raise Refused("invalid", told, [Complaint("metadata", told)])
    return {name: str(value) for name, value in written.items()}


def flat(item: Mapping[str, object]) -> object:
    """A JSON customer as the engine's record. What is no customer comes back as a text: a row that fails."""
    record = {name: item[name] for name in PLAIN if name in item}
    if "birthdate" not in item and "birthday" in item:
        record["birthdate"] = item["birthday"]
    address, metadata = item.get("address", {}), item.get("metadata", {})
    if address is None:
        address = dict.fromkeys(PARTS)
    if not isinstance(address, dict) or not isinstance(metadata, dict | None):
        return "address and metadata must be objects"
    record |= {f"address.{part}": address[part] for part in PARTS if part in address}
    return record | {f"metadata.{name}": value for name, value in (metadata or {}).items()}
