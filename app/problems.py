"""Every way in which a row can be bad, and the value that reports it: a bad row is data, not an exception."""

from dataclasses import dataclass

# Codes are stable and shown to integrators: code -> the sentence. Whoever finds the problem fills in the `{}`.
PROBLEMS: dict[str, str] = {
    # Found while the file is read
    "encoding_error": "Byte {byte} at position {position} of the row is not valid {encoding}",
    "invalid_character": "The row contains {character}, a character that cannot be stored",
    "quote_error": "{reason}",
    "after_quote_error": "The row was not read, because the quote that opens on line {line} is broken",
    "missing_cell": "The row has {found} cells, but the header has {expected}",
    "extra_cell": "The row has {found} cells, but the header has {expected}{last}",
    "cell_too_long": "A cell is longer than {limit} characters",
    "record_too_long": "The row is longer than {limit} bytes",
    "json_error": "The line is not a JSON object: {reason}",
    "duplicate_member": "The object has the member `{name}` more than once",
    "too_deep": "The object is nested more than {limit} levels deep",
    "too_many_members": "The object has more than {limit} members, including those of nested objects and lists",
    "path_too_long": "The path `{path}…` is longer than {limit} characters",
    # Found in a cell
    "type_error": "{reason}",
    "formula_error": "The cell holds an error of a formula, {error}, and no value",
    "required": "A value is required",
    "too_long": "The value has {found} characters, but at most {limit} are allowed",
    "too_small": "The value must be at least {limit}",
    "too_large": "The value must be at most {limit}",
    "not_an_option": "The value must be one of {options}",
    "key_too_long": "The key has {found} characters, but at most {limit} are allowed",
    "unknown_column": "The type has no field with this name",
    # Found by comparing the row with other rows or with stored records
    "missing_key": "The row has no key: fill {keys}",
    "unknown_id": "There is no record with this id",
    "unknown_key": "There is no record with this key",
    "empty_row": "The row fills no field, so it makes no record",
    "unknown_reference": "There is no record of type `{type}` with this {by}",
    "ambiguous_reference": "Several records of type `{type}` have this {by}",
    "position_gap": "Position {position} of `{list}` is filled, but position {previous} is not",
    "duplicate_key": "Row {row} of this file has the same key",
    "record_too_large": "With this row the record would be larger than {limit:,} bytes",
    "conflict": "The record already exists with a different `{field}`",
    "superseded": "An import accepted later has already written this record",
    # Found while a run is undone
    "changed_since": "Another writer has {done} this record of type `{type}` since, so the undo leaves it alone",
}

# What to do about each, for people who correct a file.
REMEDIES: dict[str, str] = {
    "encoding_error": "Save the file as UTF-8, or name its encoding with `encoding`",
    "invalid_character": "Remove the character (NUL, or half of a surrogate pair)",
    "quote_error": "Write a quote inside a cell twice, close every quote that opens a cell, and quote every cell that "
    "has quotes inside",
    "after_quote_error": "Correct the row with the `quote_error` above it; this line is the rest of its broken cell",
    "missing_cell": "Look for an unquoted line break or the wrong delimiter, or add the missing cells",
    "extra_cell": "Quote the cell that contains the delimiter, or remove an empty last cell",
    "cell_too_long": "Shorten the cell; often it is long because a quote is not closed",
    "record_too_long": "Shorten the row; often it is long because a quote is not closed",
    "json_error": "Write one JSON object per line, with no commas between lines",
    "duplicate_member": "Remove the repeated member",
    "too_deep": "Flatten the object",
    "too_many_members": "Split the record",
    "path_too_long": "Shorten the names of the nested members",
    "type_error": "Write the value as its field type requires",
    "formula_error": "Correct the formula in the workbook, or clear the cell",
    "required": "Fill the cell. A row that updates an existing record may leave it empty",
    "too_long": "Shorten the value",
    "too_small": "Raise the value to the minimum",
    "too_large": "Lower the value to the maximum",
    "not_an_option": "Use one of the options, spelled exactly as declared",
    "key_too_long": "Shorten the key",
    "unknown_column": "Declare the field, or send `unknownColumns` as `ignore` or `keep`",
    "missing_key": "Fill one of the type's key fields",
    "unknown_id": "Leave the id empty, or copy it from an existing record",
    "unknown_key": "Copy the key from an existing record, or leave the cell blank to make a new one",
    "empty_row": "Fill the row, or remove it",
    "unknown_reference": "Correct the value, or import the record that the row names first",
    "ambiguous_reference": "Name the record by its key instead",
    "position_gap": "Fill the positions of a list from 0 on, without a gap",
    "duplicate_key": "Remove one of the rows, or send `duplicates` as `last` or `first`",
    "record_too_large": "Shorten the values of the row. What earlier imports have kept stays in the record until it is "
    "deleted",
    "conflict": "Use another key: a coupon cannot move to another set, and a customer cannot change its `source_id`",
    "superseded": "No action is needed: the newer import's values are kept",
    "changed_since": "Look at the history of the record, and correct it by hand if it is wrong",
}

# What an import may warn about: code -> what it means. Rows are imported nevertheless, or were skipped on purpose.
WARNINGS: dict[str, str] = {
    "same_file": "The same file was imported before, by the import that `subject` names",
    "unknown_column": "The type has no field for this column, so the column was ignored",
    "other_sheets": "The workbook has more sheets than the one that was read",
    "missing_column": "The mapping names this column, but the file does not have it",
    "read_only_column": "The service itself fills this field, so the column was ignored",
    "duplicate_key": "An earlier row of the file has the same key",
    "nothing_replaced": "No row of the file is good, so no record was removed",
    "superseded": "An import that was accepted later has already written this record, so the row was skipped",
    "changed_since": "Another writer has changed the record since, so the undo left it alone",
    "deleted_meanwhile": "The record was deleted before the import was applied, so it stays deleted and the row was "
    "skipped",
    "changed_meanwhile": "The record was changed before the import was applied, and the row may not change it, so "
    "the row was skipped",
    "unseen_characters": "Values of the column had characters that nobody sees, such as a byte order mark or no-break "
    "blanks around them. They were removed",
    "blank_rows": "Lines of nothing but delimiters and blanks are not rows, and were passed over",
    "text_formula": 'Values of the column are written as formulas for text (`="00123"`), of which the text was read',
    "no_item_code": "Rows without an item code were skipped",
    "no_filter": "Rows without a class or a value were skipped",
    "too_many_links": "Items have more filter values than a record can hold. They keep those that they had",
    "unread_date": "Values of the column are not dates. A new item gets the time of the sync, and an item that exists "
    "keeps its date",
    "folder_missing": "The folder of an item sync does not exist. Nothing that came from it earlier is removed",
    "folder_empty": "The folder of an item sync has no CSV file. Nothing that came from it earlier is removed",
    "file_left": "A file that an item sync has read could not be moved or deleted at its server",
    "images_unreadable": "The ZIP of pictures of an item sync cannot be read. Items and prices are as they should be, "
    "and no picture is removed for it",
    "images_cut": "The ZIP of pictures of an item sync has more files than are looked at",
    "images_refused": "Files in the ZIP of pictures of an item sync became no image",
    "no_images": "The ZIP of pictures of an item sync does not exist. No picture is removed for it",
    "mail_not_configured": "A notice by mail was asked for, but the service has no mail server (`SLUICE_SMTP_URL`)",
    "mail_not_sent": "The mail server refused the notice or could not be reached for three days, or the account has "
    "reached the daily limit of mails",
}

# What to do about each warning, for people who correct a file or send one.
WARNING_REMEDIES: dict[str, str] = {
    "unseen_characters": "No action is needed; clean the text where it comes from to avoid the warning",
    "blank_rows": "No action is needed: there is no data in these lines",
    "text_formula": "No action is needed: the text is stored without the formula",
    "same_file": "No action is needed if both were meant. Send `ifSameFile` as `refuse` to be stopped next time",
    "unknown_column": "Declare the field, or remove the column",
    "other_sheets": "Send `sheet` with the name of a sheet if another one was meant",
    "missing_column": "Add the column to the file, or remove it from the mapping",
    "read_only_column": "No action is needed; remove the column to avoid the warning",
    "duplicate_key": "Remove one of the rows if the wrong one is kept, or send `duplicates`",
    "nothing_replaced": "Correct the rows and send the file again",
    "superseded": REMEDIES["superseded"],
    "changed_since": REMEDIES["changed_since"],
    "deleted_meanwhile": "Send the file again if the record should be there",
    "changed_meanwhile": "Look at the record, and send the row again if it is right",
    "no_item_code": "Fill `ItemCode`, or remove the rows",
    "no_filter": "Fill `ClassName` and `ClassValue`, or remove the rows",
    "too_many_links": "Give these items fewer filter values",
    "unread_date": "Write dates like 2026-01-31, or remove the values",
    "folder_missing": "Create the folder, or correct its path in the item sync",
    "folder_empty": "No action is needed if the shop had nothing new",
    "file_left": "Move or delete it by hand, or the next run reads it again. Check `afterwards`",
    "images_unreadable": "Upload the ZIP again, as one file that is not encrypted",
    "images_cut": "Leave out the pictures of items that do not exist, or split the catalogue into several syncs",
    "images_refused": "Look at `images` in the report of the run: it names the files, each with a reason",
    "no_images": "Upload the ZIP, correct its path in the item sync, or set `imagesOnlyFromPim`",
    "mail_not_configured": "Ask the operator to set `SLUICE_SMTP_URL`",
    "mail_not_sent": "Check the address, and ask the operator to check the mail server and SLUICE_MAILS_PER_DAY",
}

RowError = tuple[str, str]  # a key of PROBLEMS, and the message made from its template

VALUE_CHARACTERS = 200  # of a bad value that a report repeats
NO_ROW = 0  # the line and the row of a problem that is about no row


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one row.

    `line` is the physical line on which the record starts (the header is line 1). `row` is the number of the data
    record (the first is 1). `column` is the heading in the file and `field` the id of the field; both are None when
    the whole row is meant. `key` is what the row calls its record, as far as that could be read. `file` is the path of
    the file where a run has several: its rows are numbered through all of them. A file in a ZIP is the `value`, and is
    in NO_ROW.
    """

    line: int
    row: int
    column: str | None
    field: str | None
    code: str
    message: str
    value: str | None
    key: str | None = None
    file: str | None = None


def row_error(code: str, **facts: object) -> RowError:
    """The problem with a row before it is known which row it is."""
    return code, PROBLEMS[code].format(**facts)


def shorten(value: str) -> str:
    """The value as a report may repeat it: at most VALUE_CHARACTERS characters."""
    return value if len(value) <= VALUE_CHARACTERS else value[: VALUE_CHARACTERS - 1] + "…"
