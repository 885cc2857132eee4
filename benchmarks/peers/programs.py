"""The programs: what each is installed from, and the command that imports a file with it. A row each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

COLUMNS = ("email", "name", "surname", "phone", "birthdate", "status", "points")
TYPES = "email text PRIMARY KEY, name text, surname text, phone text, birthdate date, status text, points integer"
LOADED = TYPES.replace(" PRIMARY KEY", "")
CHANGED = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
UPSERT = f"""INSERT INTO {{table}} ({", ".join(COLUMNS)})
SELECT {", ".join(COLUMNS)} FROM {{loaded}} ON CONFLICT (email) DO UPDATE SET {CHANGED}"""
PSQL = f"""CREATE TEMPORARY TABLE loaded ({LOADED});
\\copy loaded FROM '{{file}}' WITH (FORMAT csv, HEADER)
{UPSERT.format(table="{table}", loaded="loaded")};
"""
PGLOADER = f"""LOAD CSV FROM '{{file}}' ({", ".join(COLUMNS)})
INTO {{url}} TARGET TABLE {{table}}_loaded ({", ".join(COLUMNS)})
WITH skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote, fields terminated by ','
BEFORE LOAD DO $$ DROP TABLE IF EXISTS {{table}}_loaded; $$, $$ CREATE UNLOGGED TABLE {{table}}_loaded ({LOADED}); $$
AFTER LOAD DO $$ {UPSERT.format(table="{table}", loaded="{table}_loaded")}; $$;
"""
# csvkit chooses the types of what it loads.
CSVKIT = UPSERT.format(table="{table}", loaded="{table}_loaded").replace("phone, birthdate", "phone::text, birthdate")
CSVKIT = CSVKIT.replace("(email, name, surname, phone::text", "(email, name, surname, phone")


@dataclass(frozen=True, slots=True)
class Program:
    """A peer. In `command` and `script` stand `{url}`, `{table}`, `{file}`, `{script}` and `{bin}`, its environment."""

    name: str
    command: tuple[str, ...]
    packages: tuple[str, ...] = ()  # of PyPI; the version of the first one is told
    debian: str = ""  # a package of Debian, which is unpacked and not installed
    script: str = ""  # written to `{script}`
    environment: Mapping[str, str] = field(default_factory=dict)
    typed: bool = True  # its table is made before, with types; else it makes its own
    note: str = ""

    @property
    def table(self) -> str:
        return f"peer_{self.name.partition(' ')[0].replace('-', '_')}"


PROGRAMS = (
    Program("psql typed", ("{psql}", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "{script}", "{url}"), script=PSQL),
    Program(
        "pgloader",
        ("{bin}/pgloader", "--quiet", "--root-dir", "{work}", "{script}"),
        debian="pgloader",
        script=PGLOADER,
        note="It has no upsert; its command does one after the load.",
    ),
    Program(
        "sling",
        (
            *("{bin}/python", "{here}/run_sling.py", "run", "--src-stream", "file://{file}", "--tgt-conn", "PEERS"),
            *("--tgt-object", "public.{table}", "--mode", "incremental", "--primary-key", "email"),
        ),
        # The last one; newer versions are not in a package, but are downloaded from elsewhere when they are started.
        packages=("sling-linux-amd64",),
        environment={"PEERS": "{url}?sslmode=disable", "SLING_DISABLE_TELEMETRY": "true"},
        typed=False,
        note="Newer versions are in no package, and are not measured.",
    ),
    Program(
        "dlt merge",
        ("{bin}/python", "{here}/run_dlt.py", "{url}", "{table}", "{file}"),
        packages=("dlt[postgres]", "pandas"),
        environment={"RUNTIME__DLTHUB_TELEMETRY": "false"},
        typed=False,
    ),
    Program(
        "csvkit",
        (
            *("{bin}/csvsql", "--db", "{url}", "--insert", "--overwrite", "--tables", "{table}_loaded"),
            *("--after-insert", CSVKIT, "{file}"),
        ),
        packages=("csvkit", "psycopg[binary]"),
        note="It has no upsert; its option `--after-insert` does one.",
    ),
    Program(
        "django-import-export",
        ("{bin}/python", "{here}/run_django.py", "{url}", "{table}", "{file}"),
        packages=("django-import-export", "psycopg[binary]"),
        note="In bulk, with its cache of instances: without that it asks for each row.",
    ),
    Program(
        "pandas with an upsert",
        ("{bin}/python", "{here}/run_pandas.py", "{url}", "{table}", "{file}"),
        packages=("pandas", "sqlalchemy", "psycopg[binary]"),
    ),
)
