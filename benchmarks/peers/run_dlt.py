"""The peer dlt: a CSV file merged by its key. Runs in dlt's environment: `run_dlt.py URL TABLE FILE`."""

import sys
from pathlib import Path

import dlt
from dlt.sources.filesystem import filesystem, read_csv


def main() -> None:
    url, table, name = sys.argv[1:]
    path = Path(name)
    rows = filesystem(bucket_url=path.parent.as_uri(), file_glob=path.name) | read_csv()
    rows.apply_hints(
        table_name=table, primary_key="email", write_disposition={"disposition": "merge", "strategy": "upsert"}
    )
    pipeline = dlt.pipeline("peers", destination=dlt.destinations.postgres(url), dataset_name="public")
    pipeline.run(rows)


if __name__ == "__main__":
    main()
