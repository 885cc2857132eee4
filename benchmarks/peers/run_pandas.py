"""The peer pandas: to_sql with an upsert, as its documentation has it. `run_pandas.py URL TABLE FILE`."""

import sys

import pandas as pd
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql import insert


def main() -> None:
    url, table, name = sys.argv[1:]
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    # Without these a phone becomes a number and a date stays text, and the columns refuse both.
    rows = pd.read_csv(name, dtype={"phone": str}, parse_dates=["birthdate"])
    with engine.begin() as connection:
        rows.to_sql(table, connection, if_exists="append", index=False, chunksize=1_000, method=upsert)


def upsert(table, connection, keys, rows) -> int:
    """What `to_sql` calls for each chunk."""
    statement = insert(table.table).values([dict(zip(keys, row, strict=True)) for row in rows])
    changed = {name: statement.excluded[name] for name in keys if name != "email"}
    return connection.execute(statement.on_conflict_do_update(index_elements=["email"], set_=changed)).rowcount


if __name__ == "__main__":
    main()
