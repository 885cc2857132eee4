"""`sluice runs …`: lists and shows the work of every kind that an account has, and resumes or cancels it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from app.cli.client.http import build_path, connect, fetch_pages, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Limit, Url, add_options
from app.cli.client.printing import print_facts, print_json, print_line, show_members, show_time
from app.cli.client.tables import TableColumn, print_pages
from app.cli.importing.options import BRAKE_OPTIONS, PARTS
from app.cli.importing.report import print_decisions
from app.cli.managing.imports import PROBLEMS

runs = typer.Typer()

RunId = Annotated[str, typer.Argument(metavar="ID", help="Id of the run")]
LARGEST_PAGE: Final = 100
HELD: Final = frozenset({"halted", "planned"})

# What a run may do that is resumed with --accept-any.
LIMITS: Final = {**BRAKE_OPTIONS} | {
    "max_removed_share": (float, "Halt if a larger share of the records would be removed")
}
# Option -> parameter of the query.
FILTERS: Final = {
    "kind": "kind",
    "status": "status",
    "type": "type",
    "name": "name",
    "origin": "origin",
    "parent": "parentId",
    "created_by": "createdBy",
    "since": "since",
    "before": "before",
}
LISTED: Final = (
    TableColumn("ID", "id"),
    TableColumn("KIND", "kind"),
    TableColumn("TYPE", "type", cut=True, least=10),
    TableColumn("STATUS", "status"),
    TableColumn("ROWS", "total", number=True),
    TableColumn("FAILED", "failed", number=True),
    TableColumn("CREATED", "createdAt", show=show_time, spare=True),
    TableColumn("NAME", lambda run: run.get("name") or run.get("fileName"), cut=True),
)


@runs.command("list")
def print_runs(
    context: typer.Context,
    *,
    kind: Annotated[str | None, typer.Option(help="Only those of this kind, such as import")] = None,
    status: Annotated[str | None, typer.Option(help="Only those queued, running, halted, and so on")] = None,
    type: Annotated[str | None, typer.Option(help="Only those of this record type")] = None,
    name: Annotated[str | None, typer.Option(help="Only those with exactly this name")] = None,
    origin: Annotated[str | None, typer.Option(help="Only those of this origin, such as connectif")] = None,
    parent: Annotated[str | None, typer.Option(help="Only those that were started from the run with this id")] = None,
    created_by: Annotated[
        str | None, typer.Option(help="Only those that this API key, schedule or feed has started, by its id")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Only those accepted since, such as 2026-11-27T10:00:00Z")] = None,
    before: Annotated[str | None, typer.Option(help="Only those accepted before")] = None,
    limit: Limit = 20,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    filters = {parameter: context.params[option] for option, parameter in FILTERS.items() if context.params[option]}
    with connect(url, key, as_json=as_json) as client:
        pages = fetch_pages(client, "runs", limit=limit, largest=LARGEST_PAGE, **filters)
        print_pages(LISTED, pages, as_json=as_json)


@runs.command("show")
def show_run(run_id: RunId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show a run: what it is, where it came from, and how far it is."""
    with connect(url, key, as_json=as_json) as client:
        run = get_object(client, build_path("runs", run_id))
    if as_json:
        print_json(run)
    else:
        print_facts(describe_run(run))
        if run["status"] in HELD:
            print_decisions(run_id, run["plan"], url=url)


@runs.command("problems")
def list_run_problems(
    run_id: RunId, *, limit: Limit = 100, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """List everything that is wrong with the rows of a run; of an item sync, each with its file."""
    with connect(url, key, as_json=as_json) as client:
        pages = fetch_pages(client, build_path("runs", run_id, "problems"), limit=limit)
        print_pages((TableColumn("FILE", "file", cut=True), *PROBLEMS), pages, as_json=as_json)


def resume_run(
    context: typer.Context,
    run_id: RunId,
    *,
    plan: Annotated[
        int | None, typer.Option(help="The plan that `show` printed: refuse if the run waits with another one by now")
    ] = None,
    accept_any: Annotated[
        bool, typer.Option("--accept-any", help="Let it write what it comes to by then, within the limits of this call")
    ] = False,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Let a run that is halted or planned go on where it is, without its brakes."""
    limits = {PARTS[name]: context.params[name] for name in LIMITS if context.params[name] is not None}
    approval = ({"plan": plan} if plan is not None else {}) | ({"accept": "any"} if accept_any else {}) | limits
    decide(run_id, "resume", approval, url=url, key=key, as_json=as_json)


runs.command("resume")(add_options(resume_run, LIMITS))


@runs.command("cancel")
def cancel_run(
    run_id: RunId,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what it has written, too")] = False,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Cancel an import, an export or an item sync that waits, runs or is held.

    What it has written stays, unless --undo takes it back.
    """
    decide(run_id, "cancel", {}, url=url, key=key, as_json=as_json, **({"undo": "true"} if undo else {}))


def decide(
    run_id: str, decision: str, body: dict[str, Any], *, url: str, key: str, as_json: bool, **query: str
) -> None:
    path = build_path("runs", run_id, decision)
    with connect(url, key, as_json=as_json) as client:
        run = read_object(request(client, "POST", path, json=body or None, params=query))
    if as_json:
        print_json(run)
    else:
        print_line(f"{run['kind'].capitalize()} {run['id']} is {run['status']}")
        if run["status"] == "cancelled":
            print_line(run["failure"]["detail"])
        if "undoneBy" in run:
            print_line(f"What it has written is taken back by {run['undoneBy']}")


def describe_run(run: Mapping[str, Any]) -> dict[str, object]:
    outcomes = ("written",) if run["kind"] == "export" else ("created", "updated", "unchanged", "skipped", "failed")
    return {
        "Name": run.get("name"),
        "Kind": run["kind"],
        "Type": run["type"],
        "Status": run["status"],
        "Outcome": run.get("outcome"),
        "Reason": run.get("failure", {}).get("detail"),
        "Plan": run.get("plan"),
        "Waits for": run.get("waitsFor", {}).get("detail"),
        "Starts": show_time(run.get("startsAt")),
        "Rows": show_members({name: run[name] for name in ("total", *outcomes, "removed", "remaining") if name in run}),
        "File": run.get("fileName"),
        "Source": show_members(run.get("source")),
        "Origin": run["origin"],
        "Started by": run.get("createdBy"),
        "Parent": show_members({run["relation"]: run["parentId"]}) if "parentId" in run else None,
        **describe_report(run),
        "Created": show_time(run["createdAt"]),
        "Started": show_time(run.get("startedAt")),
        "Finished": show_time(run.get("finishedAt")),
        "Kept until": show_time(run.get("expiresAt")),
    }


def describe_report(run: Mapping[str, Any]) -> dict[str, object]:
    """What came of an item sync; nothing for other kinds."""
    report = run.get("report", {})
    images = report.get("images", {})
    entities = {name: show_members(counts) for name, counts in report.get("entities", {}).items()}
    return {
        **entities,
        "Files": ", ".join(each["path"] for each in report.get("files", ())),
        "Images": show_members({name: value for name, value in images.items() if name != "refused"}),
        "Refused": "; ".join(each["message"] for each in images.get("refused", ())),
        "Warnings": "; ".join(map(show_warning, run.get("warnings", ()))),
    }


def show_warning(warning: Mapping[str, Any]) -> str:
    """The first of its kind in words, and how many more there are."""
    more = warning["count"] - 1
    return f"{warning['message']} ({more:,} more)" if more else str(warning["message"])
