"""What files with the rows of a run are called."""

import re
from typing import Final

from app.resources.canonical import split_marks
from app.runs.model import Run

LONGEST: Final = 100  # characters of a file's name in it
_drop_ending = re.compile(r"(\.(csv|tsv|txt|jsonl|ndjson|json))?(\.(gz|zip|bz2|xz|zst))?$", re.IGNORECASE).sub
_replace_unsafe = re.compile(r"[^A-Za-z0-9 ._-]+").sub


def name_failed_rows(run: Run) -> str:
    return f"{name_rows(run, 'failed rows')}.csv"


def name_rows(run: Run, which: str) -> str:
    """ "prices-08 failed rows": after the run's file, in characters that every system takes for a name."""
    stem = split_marks(_drop_ending("", run.file_name or "", count=1)).encode("ascii", "ignore").decode()
    return f"{_replace_unsafe('-', stem)[:LONGEST].strip(' .-') or run.id} {which}"
