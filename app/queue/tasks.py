"""The name of every job. A job carries a run's id and nothing else, so a name is all that must stay stable."""

IMPORT_FETCH = "import_fetch"
IMPORT_SLICE = "import_slice"

KINDS = (IMPORT_FETCH, IMPORT_SLICE)


def next_job(*, to_fetch: bool) -> str:
    """The job that takes a run on: its file has yet to be fetched, or it is here."""
    return IMPORT_FETCH if to_fetch else IMPORT_SLICE
