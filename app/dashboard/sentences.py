"""What every code says to people: what is wrong with rows, why a run did not finish, what a refused request needs."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from app.dashboard.words import close_sentence, count_of
from app.errors import FAILURE_REMEDIES, REFUSAL_REMEDIES
from app.problems import PROBLEMS, REMEDIES, WARNING_REMEDIES
from app.web.failures import INTERNAL_ERROR

# Headlines of groups of problems whose own messages tell the figures of one row.
GROUP_HEADLINES: Final[Mapping[str, str]] = {
    "encoding_error": "The row has bytes that are not in the encoding of the file",
    "invalid_character": "The row has a character that cannot be stored",
    "quote_error": "A quote is broken",
    "after_quote_error": "The row follows a broken quote and was not read",
    "missing_cell": "The row has fewer cells than the header",
    "extra_cell": "The row has more cells than the header",
    "cell_too_long": "A cell is too long",
    "record_too_long": "The row is too long",
    "json_error": "The line is not a JSON object",
    "duplicate_member": "The object has a member more than once",
    "too_deep": "The object is nested too deeply",
    "too_many_members": "The object has too many members",
    "path_too_long": "The path of a member is too long",
    "type_error": "The value does not fit the field",
    "formula_error": "The cell holds an error of a formula",
    "required": "A value is required",
    "too_long": "The value is too long",
    "too_small": "The value is too small",
    "too_large": "The value is too large",
    "not_an_option": "The value is not one of the options",
    "key_too_long": "The key is too long",
    "unknown_column": "The type has no field with this name",
    "missing_key": "The row has no key",
    "unknown_id": "There is no record with this id",
    "unknown_key": "There is no record with this key",
    "empty_row": "The row fills no field",
    "unknown_reference": "The record that the row names does not exist",
    "ambiguous_reference": "Several records have the name that the row gives",
    "position_gap": "A position in a list is left out",
    "duplicate_key": "Several rows have the same key",
    "record_too_large": "The record would be too large",
    "conflict": "The record exists already with another value that cannot change",
    "superseded": "A later import has already written the record",
    "changed_since": "Changed by another writer since",
}
# What a person does about a problem, where the words for people who send requests would not help.
PERSONS_REMEDIES: Final[Mapping[str, str]] = {
    "encoding_error": "Save the file as UTF-8, or choose its encoding when you import it.",
    "unknown_column": "Add the field to the type, or ignore the column.",
    "type_error": "Correct the value in the file, or change how the column is read.",
    "missing_key": "Fill the cell of the key.",
    "duplicate_key": "Remove one of the rows, or let the last or the first of them count.",
    "conflict": "Use another key.",
}
PERSONS_WARNINGS: Final[Mapping[str, str]] = {
    "unknown_column": "Map the column to a field, or ignore it on purpose.",
    "duplicate_key": "Remove one of the rows if the wrong one is kept, or let another one count.",
    "images_refused": "Look at the pictures below: each has a reason.",
    "no_images": "Upload the ZIP, correct its path in the item sync, or choose there that it is not read.",
    "file_left": "Move or delete it by hand, or the next run reads it again.",
}

# What a person does about a run that could not be finished.
PERSONS_FAILURES: Final[Mapping[str, str]] = {
    "brake": "Look at the numbers. Then let it go on without limits, or cancel it and correct the file.",
    "record_quota": "Delete records, or ask the operator for a higher quota. Then let it go on, or cancel it.",
    "plan_changed": "Look at what it would do now. Then let it go on, or cancel it.",
    "plan_expired": "Start it again, and decide sooner.",
    "source_missing": "Import the file again. An operator checks that all machines share one store of files.",
    "source_damaged": "Import the file again. An operator checks the disk that holds the stored files.",
    "source_address": "Correct the address or the path, then import again.",
    "source_resolve": "Check the spelling of the host. An operator allows private addresses: `SLUICE_ALLOW_NETWORKS`.",
    "source_connect": "Check the host, the port and the firewall, and test the connection.",
    "source_authenticate": "Correct the user, password or key, and test the connection.",
    "source_find": "Correct the path, and test the connection.",
    "source_read": "Run it again.",
    "source_locked": "Enter the password of the connection again.",
    "sync_no_items": "Check the folder of the items, and that the shop has put its files there.",
    "unreadable_file": "Correct the file, then import it again.",
}

# What a person does about a request that was refused; "" where there is nothing but to go back.
PERSONS_REFUSALS: Final[Mapping[str, str]] = {
    "not_authenticated": "Sign in. What you prepared is kept.",
    "not_allowed": "Go back, or go on with what you may do.",
    "not_found": "It may have been deleted, or it belongs to another account.",
    "method_not_allowed": "Go back and use the buttons of the page.",
    "gone": "It cannot be restored. Import the file again if you still need it.",
    "bad_request": "Go back and try again. An upload may have been cut off.",
    "unsupported_media_type": "Choose a file of another format.",
    "too_large": "Split the file. An operator raises the limit with `SLUICE_MAX_FILE_BYTES`.",
    "empty_file": "Choose a file that has at least a header.",
    "unreadable_file": "Choose a file in CSV or JSON Lines, plain or gzip.",
    "invalid": "Go back and correct what is named above.",
    "too_many_requests": "Wait a little, then reload the page.",
    "idempotency_key_in_use": "Wait a few seconds, then reload the page: what was sent is still being taken.",
    "too_many_reads": "Wait until the other page has loaded, then reload this one.",
    "queue_full": "Wait until a job has ended, or decide about those that are stopped.",
    "being_deleted": "Wait until nothing of the account is left.",
    "account_suspended": "Nothing is lost. If you belong to other accounts, turn to one on your own page.",
    "quota_reached": "Delete what is not needed, or ask the operator for a higher quota.",
    "import_not_ended": "Wait until it has ended. If it is stopped, let it go on or cancel it.",
    "already_ended": "Look at its numbers.",
    "not_held": "Somebody has already decided, or the job has ended.",
    "not_planned": "Only a check without writing can be committed.",
    "nothing_to_retry": "Go on with the jobs that are named above, or start a new export for other destinations.",
    "type_in_use": "Keep the fields that are named above as they are.",
    "secrets_locked": "Enter the secrets of the connection again.",
    "not_ready": "Wait a little, then try again. Nothing that you sent was half done.",
    INTERNAL_ERROR: "Go back and try again. Tell an operator the request below if it happens again.",
}

# What a run stops at, by the name in requests, with what is counted; of shares nothing is.
PERSONS_LIMITS: Final[Mapping[str, tuple[str, str]]] = {
    "maxErrors": ("At most {} may fail", "row"),
    "maxErrorShare": ("At most {} of the rows may fail", ""),
    "maxCreated": ("At most {} may be created", "record"),
    "maxUpdated": ("At most {} may be changed", "record"),
    "maxRemoved": ("At most {} may be removed", "record"),
    "maxRemovedShare": ("At most {} of the records may be removed", ""),
    "minRows": ("The file must have at least {}", "row"),
}
LIMIT_TOLD: Final = re.compile(r"(?:For `([\w-]+)`, )?`(\w+)` is ([0-9][0-9.,e-]*), but (the file has )?")


def tell_limit(name: str, limit: float | str) -> str:
    """ "At most 5 % of the rows may fail". Raises KeyError for a name that does not exist."""
    words, counted = PERSONS_LIMITS[name]
    number = Decimal(str(limit).replace(",", ""))
    return words.format(count_of(int(number), counted) if counted else f"{float(number * 100):g} %")


def tell_limits(detail: str) -> str:
    """Why a run stopped, as the engine says it to those who have set limits by their names in a request."""
    return LIMIT_TOLD.sub(tell_breach, detail)


def tell_breach(found: re.Match[str]) -> str:
    """The beginning of a sentence about one limit, as far as "but"."""
    type_name, name, limit, of_file = found.groups()
    if name not in PERSONS_LIMITS:
        return found[0]
    where = f"{type_name[0].upper()}{type_name[1:]}: " if type_name else ""
    return f"{where}{tell_limit(name, limit)}, but {'it has ' if of_file else ''}"


# What hints call by its name in requests, and what the pages call it.
PERSONS_HINTS: Final = (
    ("with `decimalComma`", "with “decimal comma”"),
    ("without `decimalComma`", "without “decimal comma”"),
    ("with this `dateFormat`", "with this pattern"),
    ("with `encoding=", "with the encoding `"),
)


def tell_hint(hint: str) -> str:
    for told, words in PERSONS_HINTS:
        hint = hint.replace(told, words)
    return hint


def headline_of_group(code: str) -> str:
    """What is wrong with the rows of a group. Raises KeyError for a code that does not exist."""
    return GROUP_HEADLINES[code]


def remedy_of_problem(code: str) -> str:
    return close_sentence(PERSONS_REMEDIES.get(code, REMEDIES[code]))


def remedy_of_warning(code: str) -> str:
    return close_sentence(PERSONS_WARNINGS.get(code, WARNING_REMEDIES[code]))


def remedy_of_failure(code: str) -> str:
    return close_sentence(PERSONS_FAILURES.get(code, FAILURE_REMEDIES[code]))


def remedy_of_refusal(code: str) -> str:
    """Also for a fault of ours."""
    return close_sentence(PERSONS_REFUSALS.get(code) or REFUSAL_REMEDIES[code])


# As choices of a filter.
PROBLEM_CHOICES: Final = [("", "All causes"), *((code, GROUP_HEADLINES[code]) for code in PROBLEMS)]
