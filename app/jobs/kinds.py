"""The name of every job. A job carries a run's id and nothing else, so a name is all that must stay stable."""

IMPORT_FETCH = "import_fetch"
IMPORT_SLICE = "import_slice"

KINDS = (IMPORT_FETCH, IMPORT_SLICE)
