"""Why a run can fail as a whole, be halted or be cancelled, and what to do about it."""

# Every reason why a run can fail as a whole, is halted, or was cancelled: code -> the message shown.
FAILURES: dict[str, str] = {
    "brake": "A brake of the import has stopped it, or would",
    "record_quota": "The account would have more records than its quota allows",
    "plan_changed": "Others have changed records since somebody was shown what the import would do",
    "row_failed": "A row failed, and the import was to stop at the first one",
    "rolled_back": "Rows failed, and the import was to write all of them or nothing",
    "cancelled": "The run was cancelled",
    "plan_expired": "Nobody has resumed or cancelled it in time",
    "worker_crashed": "Workers crashed too many times on this file",
    "source_missing": "The stored file no longer exists",
    "source_damaged": "The stored file has changed since the import was accepted",
    "source_address": "The address of the source is not valid",
    "source_resolve": "The host of the source is unknown, or its address is not allowed",
    "source_connect": "The source could not be reached",
    "source_authenticate": "The source rejected the credentials",
    "source_find": "The file was not found at the source",
    "source_read": "The file could not be read to its end",
    "source_locked": "The stored credentials of the source cannot be decrypted with the keys of this service",
    "type_taken": "The account has a record type of its own that is called as one that an item sync writes",
    "sync_no_items": "There are no item files, so the item sync did not begin",
    "sync_unsettled": "The files of the item sync did not stop changing",
    "sync_too_large": "The files of the item sync are too large or too many",
    "file_refused": "The file was fetched, but it cannot be imported",
    "count_mismatch": "The number of processed rows differs from the number of accepted rows",
    "unreadable_file": "The file cannot be read in the declared format",
    "too_many_columns": "The records have more fields than a file may have columns",
    "export_no_room": "PostgreSQL had too little disk, memory or room for the export",
    "export_too_long": "The file could not be written within the time that an export has",
    "export_unencodable": "The file cannot be written in the encoding that was asked for",
    "mapping_missing": "The mapping template does not exist any more",
    "mapping_unfit": "The mapping does not fit its record type any more",
    "export_lost": "The stored file of the export is missing or damaged",
}

# What to do about each failure of a run.
FAILURE_REMEDIES: dict[str, str] = {
    "brake": (
        "Look at the numbers in the detail and at the problems. Then resume the import, which goes on without brakes, "
        "or cancel it and send a corrected file"
    ),
    "record_quota": "Delete records, or ask the operator for a higher quota. Then resume the import, or cancel it",
    "row_failed": "Correct the row that the detail names, then send the file again: what is written stays as it is",
    "rolled_back": "Correct the rows that failed, then send the file again. Nothing of it is written",
    "cancelled": "Start it again if you still want it. What was written before stays",
    "plan_expired": "Start it again, and decide within `SLUICE_PLAN_HOURS`",
    "plan_changed": "Look at what it would do now, and resume or cancel it",
    "type_taken": "Use another account for item syncs: this one declared the type before there was a built-in one",
    "worker_crashed": "Look for `slice_failed` in the workers' log, and report it together with the file",
    "source_missing": "Send the file again. Check that all machines share one blob store and that nobody cleans it up",
    "source_damaged": (
        "Send the file again, and check the disk that holds the stored files. Rows that were written before stay"
    ),
    "source_address": "Correct the address, path or setting that the detail names",
    "source_resolve": "Check the spelling of the host. Private addresses need `SLUICE_ALLOW_NETWORKS`",
    "source_connect": "Check host, port and firewall. `POST /connections/{id}/test-import` tests a stored connection",
    "source_authenticate": "Correct user, password or key, and try them with `POST /connections/{id}/test-import`",
    "source_find": "Correct the path, and try it with `POST /connections/{id}/test-import`",
    "source_read": "Send the import again; the detail says what cut the transfer off",
    "source_locked": "Restore the previous `SLUICE_SECRET_KEY` or `SLUICE_VAULT_KEYS`, or send the credentials again",
    "sync_no_items": "Check `itemsPath`, and that the shop has put its files there. An incremental sync needs no file",
    "sync_unsettled": "Have files uploaded under another name and renamed, or run the sync when nobody uploads",
    "sync_too_large": "Split the files over several runs, or ask the operator to raise `SLUICE_MAX_FILE_BYTES`",
    "file_refused": "Correct the file as the detail says, then start the import again",
    "count_mismatch": "Report it: this is a bug",
    "unreadable_file": "Correct the file as the detail says. If the stored copy is damaged, send it again",
    "too_many_columns": "Export as JSON Lines, which has no columns",
    "export_no_room": (
        "Ask the operator for what the detail names, or export fewer records or fields at a time. Then run it again"
    ),
    "export_too_long": "Export fewer records at a time, or ask the operator to raise `SLUICE_EXPORT_SECONDS`",
    "mapping_missing": "Start the export again with another template",
    "mapping_unfit": "Correct the template as the detail says, then start the export again",
    "export_unencodable": "Export in UTF-8, which has every character, or correct the record that the detail names",
    "export_lost": "Start the export again, and check the disk that holds the stored files",
}
