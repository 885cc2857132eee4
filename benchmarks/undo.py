"""An import whose changes are noted beside the same one that notes nothing, and the undo of it."""

from dataclasses import replace

from benchmarks import files
from benchmarks.kinds import CONTACTS
from benchmarks.memory import MOST_WORKER
from benchmarks.ours import Client
from benchmarks.report import Row, Section, against, at_most
from benchmarks.service import Service
from benchmarks.staged import PARTS, load, timed_run

MOST = dict(zip(PARTS, (1.15, 1.15, 1.4), strict=True))  # times the import that notes nothing
UNNOTED = replace(CONTACTS, surface=replace(CONTACTS.surface, fields={**CONTACTS.surface.fields, "undoable": "false"}))


def undo(service: Service, sample: files.Sample, changed: files.Sample) -> Section:
    samples = dict(zip(PARTS, (sample, sample, changed), strict=True))
    floor = load(service, Client(service, service.key("unnoted"), UNNOTED), samples)
    client = Client(service, service.key("noted"))
    ours = load(service, client, samples)
    rows: list[Row] = [
        against(part.capitalize(), floor[part].total, ours[part].total, most=MOST[part]) for part in PARTS
    ]
    for part, run in (("… the change undone", ours[PARTS[2]].run), ("… the first load undone", ours[PARTS[0]].run)):
        taken = timed_run(service, client, lambda run=run: client.undo(run))  # type: ignore[misc]
        rows.append(Row(part, figure=f"{taken.total:.2f} s"))
        rows.append(at_most(f"{part}, worker memory", taken.memory.worker, MOST_WORKER, unit="MB"))
    notes = (
        f"{sample.rows:,} rows, {sample.size:,} bytes, {len(CONTACTS.columns)} {CONTACTS.form}, keys in random order.",
        "The floor is the same file imported with `undoable=false`. VACUUM and CHECKPOINT before each part.",
    )
    return Section("What noting changes costs, and an undo", rows, notes)
