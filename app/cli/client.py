"""`sluice import`: sends a file to a running service, waits for the end and says what became of each row."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from app.cli.answers import Answer, NotDone, Run
from app.cli.importing import Heard, Order, connect, upload, watch
from app.cli.progress import meter
from app.cli.report import complain, report, say

COMPLETE: Final = 0
SOME_FAILED: Final = 1
NOT_IMPORTED: Final = 2
INTERRUPTED: Final = 130  # as a shell reports Ctrl-C

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON Lines, at most 50 MB; .gz too.")]
Type = Annotated[str, typer.Option("--type", help="What the rows are: contacts, products, coupons or a type of yours.")]
Url = Annotated[str, typer.Option("--url", envvar="SLUICE_URL", help="Address of the service.")]
Key = Annotated[
    str,
    typer.Option("--key", envvar="SLUICE_KEY", show_default=False, help="API key, id:secret; better in SLUICE_KEY."),
]
Delimiter = Annotated[str, typer.Option("--delimiter", help="What separates the cells: auto, or one character.")]
Override = Annotated[bool, typer.Option("--override/--no-override", help="Change records that exist, or skip them.")]
OnlyEmpty = Annotated[bool, typer.Option("--only-empty", help="Of records that exist, fill only the empty fields.")]
CouponSet = Annotated[str | None, typer.Option("--coupon-set", help="Where coupons go; needed for --type coupons.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the end.")]


def import_file(
    file: File,
    *,
    type: Type = "contacts",
    url: Url = "http://127.0.0.1:8000",
    key: Key = "",
    delimiter: Delimiter = "auto",
    override: Override = True,
    only_empty: OnlyEmpty = False,
    coupon_set: CouponSet = None,
    as_json: AsJson = False,
    no_wait: NoWait = False,
) -> None:
    """Import a file through a running service.

    Ends with 0 when every row is in, 1 when some rows failed, 2 when there was no import or it failed.
    """
    order = Order(file, type, delimiter, override, only_empty, coupon_set)
    console = Console(stderr=True)
    try:
        with meter(console, quiet=as_json) as heard:
            answer, ended = carry_out(order, (url, key), heard, wait=not no_wait)
    except KeyboardInterrupt:
        say(console, "Stopped before the service had taken the file.")
        raise typer.Exit(INTERRUPTED) from None
    except NotDone as refused:
        show_refusal(console, refused, as_json=as_json)
        raise typer.Exit(NOT_IMPORTED) from None
    show(answer, as_json=as_json, ended=ended)
    if not ended and not no_wait:
        say(console, f"You stopped waiting; the import goes on. {how_to_look(url, answer.run)}")
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(exit_code(answer.run))


def carry_out(order: Order, service: tuple[str, str], heard: Heard, *, wait: bool) -> tuple[Answer, bool]:
    """Sends the file and waits, if asked to. The last answer, and whether the import has ended with it."""
    with connect(*service) as client:
        accepted = upload(client, order, heard)
        if not wait:
            return accepted, False
        try:
            return watch(client, accepted, heard), True
        except KeyboardInterrupt:
            return accepted, False


def show(answer: Answer, *, as_json: bool, ended: bool) -> None:
    if as_json:
        print(json.dumps(answer.body))
    elif ended:
        report(Console(), answer.run)
    else:
        say(Console(), f"Import {answer.run.id} is accepted.")


def show_refusal(console: Console, refused: NotDone, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(refused.body))
    complain(console, refused)


def how_to_look(url: str, run: Run) -> str:
    return f'Look again:\n  curl -H "Authorization: apiKey $SLUICE_KEY" {url.rstrip("/")}/imports/{run.id}'


def exit_code(run: Run) -> int:
    """By how the import stands; one that is still to run is no failure."""
    if run.status in {"error", "cancelled"}:
        return NOT_IMPORTED
    return SOME_FAILED if run.errors else COMPLETE
