"""What an import from a connection is asked for with."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from app.auth.caller import Caller
from app.errors import Refused
from app.imports.submissions.from_connection import find_mapping
from app.mappings.declaring.options import removes_records
from app.mappings.declaring.requested import fill_options
from app.mappings.delimiters import NOT_A_DELIMITER, parse_delimiter
from app.storage.database import ReadSession
from app.web.caller import ensure_may_replace
from app.web.declared.brakes import BrakedBody
from app.web.declared.shape import RunName, WebhookId, json_body
from app.web.mapping_schema import MAPPING, MAPPING_ID
from app.web.shapes import DELIMITER


def check_delimiter(name: str) -> str:
    """The delimiter of that name. Raises ValueError."""
    delimiter = parse_delimiter(name)
    if delimiter is None:
        raise ValueError(NOT_A_DELIMITER)
    return delimiter


class ConnectionImportBody(BrakedBody):
    path: str = Field(min_length=1, description="The file, or a pattern in its last part: `/in/*.csv`")
    after: str | None = Field(
        default=None, description="`next` of an earlier answer: goes on with the files after those that it started"
    )
    type: str = Field(
        max_length=100, description="contacts, products, or another type of the account. `mappingId` says it as well"
    )
    name: RunName | None = Field(default=None, description="What people call the imports that are started")
    format: Literal["csv", "jsonl"] | None = None
    delimiter: Annotated[str, AfterValidator(check_delimiter), WithJsonSchema(DELIMITER)] = "auto"
    encoding: str | None = None
    sheet: str | None = Field(
        default=None,
        max_length=100,
        description="Of a workbook: the name of the sheet, or its number from 1 on. Without it the first one that is "
        "not hidden is read",
    )
    override_existing: bool = True
    update_only_empty_fields: bool = False
    mode: Literal["write", "delete"] = Field(
        default="write",
        description="What is done with the records that rows name: write them, or delete them, once all rows are "
        "checked and in one transaction. To delete, the file needs no column but that of the key",
    )
    replace: bool = Field(
        default=False,
        description="Whether the file replaces the type: records that no row names are removed, in one transaction "
        "with everything else. Then at most one file may match `path`",
    )
    dry_run: bool = Field(
        default=False,
        description="Whether the import only shows what it would do, and waits until it is committed or cancelled",
    )
    on_error: Literal["continue", "stop", "rollback"] = Field(
        default="continue",
        description="What a row that fails does to the others: continue with them; stop, so that the rows before it "
        "are written and none after it; or rollback, so that nothing is written",
    )
    blank_cells: Literal["keep", "clear", "empty"] = "keep"
    null_marker: str | None = None
    duplicates: Literal["last", "first", "error"] = "last"
    unknown_columns: Literal["ignore", "keep", "error"] | None = None
    undoable: bool = Field(
        default=True, description="Whether what is there before is kept for a while, so that the import can be undone"
    )
    if_same_file: Literal["allow", "report", "refuse"] = Field(
        default="allow",
        description="For a file that has been imported before: import it, import it with a warning that names the "
        "earlier import, or let the import fail",
    )
    mapping_id: str | None = Field(default=None, max_length=100, description=MAPPING_ID["description"])
    mapping: Annotated[dict[str, Any] | None, WithJsonSchema(MAPPING)] = None
    confirm_email: str | None = Field(default=None, description="Who is sent a mail when an import has ended")
    webhook_id: WebhookId = None


CONNECTION_IMPORT_BODY: Final = json_body(
    ConnectionImportBody, {"path": "/out/contacts.csv", "type": "contacts", "delimiter": ","}
)


async def ensure_may_let_go(session: ReadSession, caller: Caller, request: Mapping[str, Any]) -> None:
    """Whether the caller may have started, later and without them, what is requested: the template that it names may
    say that it replaces a type or deletes records. Raises Refused("not_allowed")."""
    try:
        mapping = await find_mapping(session, caller.account_id, request)
    except Refused:  # a template that is gone, which is told when it is to be started
        mapping = None
    ensure_may_replace(caller, replaces=removes_records(fill_options(request, mapping)))
