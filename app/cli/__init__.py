"""The command `sluice` and its subcommands."""

import gc
import os
import sys
from importlib import import_module, metadata
from typing import Annotated, Final

import typer

from app.cli.table import CommandEntry, CommandTable

CLOSED_PIPE: Final = 1  # as typer ends a command that writes into one

START, USE, RUN = "Start here", "Import, and see what came of it", "Run and manage the service"
COMMANDS: Final = {
    "up": CommandEntry(
        "app.cli.serving.up",
        "up",
        "Run the whole service on this machine: PostgreSQL, Valkey, the API and the workers",
        START,
    ),
    "demo": CommandEntry(
        "app.cli.demo",
        "demo",
        "Start the service, import 1,000 contacts, 12 of them bad, show the report, and stop it again",
        START,
    ),
    "import": CommandEntry("app.cli.importing.command", "import_file", "Import a file into a running service", USE),
    "inspect": CommandEntry(
        "app.cli.inspection",
        "inspect",
        "Show how a file would be read, which column fills which field, and what is wrong with it",
        USE,
    ),
    "rerun": CommandEntry(
        "app.cli.importing.rerun", "run_again", "Run an import again, with its file as it is now", USE
    ),
    "retry": CommandEntry(
        "app.cli.importing.rerun",
        "retry_failed",
        "Import the failed rows of an import once more, as they are or corrected",
        USE,
    ),
    "results": CommandEntry(
        "app.cli.managing.imports",
        "save_results",
        "Download every row of an import with what became of it",
        USE,
    ),
    "failed-values": CommandEntry(
        "app.cli.managing.corrections",
        "list_failed_values",
        "List the different bad values of an import with the number of their rows, the most frequent first",
        USE,
    ),
    "correct": CommandEntry(
        "app.cli.managing.corrections",
        "correct_values",
        "Import the failed rows of an import again, with bad values corrected",
        USE,
    ),
    "cancel": CommandEntry(
        "app.cli.managing.runs",
        "cancel_run",
        "Cancel an import, an export or an item sync that waits, runs or is held",
        USE,
    ),
    "undo": CommandEntry(
        "app.cli.undoing.undo",
        "undo_run",
        "Undo a run: remove the records that it has created, and restore those that it has changed or removed",
        USE,
    ),
    "history": CommandEntry(
        "app.cli.undoing.history",
        "list_history",
        "Show what has changed a record, newest first: when, by what, and each field before and after",
        USE,
    ),
    "commit": CommandEntry("app.cli.importing.commit", "commit_import", "Let a dry run write what it has shown", USE),
    "export": CommandEntry(
        "app.cli.exporting.command",
        "export_records",
        "Export the records of a type, and write them to a file, or to standard output",
        USE,
    ),
    "imports": CommandEntry(
        "app.cli.managing.imports",
        "imports",
        "List, show, watch and delete imports, and get what is wrong with their rows",
        USE,
    ),
    "runs": CommandEntry(
        "app.cli.managing.runs",
        "runs",
        "List and show all work of the account, and resume or cancel it",
        USE,
    ),
    "exports": CommandEntry(
        "app.cli.managing.exports", "exports", "List, show, download, repeat and delete exports", USE
    ),
    "records": CommandEntry("app.cli.managing.records", "records", "List, show, write and delete stored records", USE),
    "types": CommandEntry("app.cli.managing.types", "types", "List, show and declare record types", USE),
    "mappings": CommandEntry(
        "app.cli.managing.mappings", "mappings", "List, show, store and delete mapping templates", USE
    ),
    "account": CommandEntry(
        "app.cli.managing.account",
        "account",
        "Show what the account may have, set when its work is halted, and with an operator's key manage all accounts",
        USE,
    ),
    "coupon-sets": CommandEntry(
        "app.cli.managing.coupon_sets", "coupon_sets", "Create, rename and show sets of coupons", USE
    ),
    "connections": CommandEntry(
        "app.cli.managing.connections",
        "connections",
        "Store and test connections to other servers, and import from them",
        USE,
    ),
    "syncs": CommandEntry(
        "app.cli.managing.automation.item_syncs",
        "syncs",
        "Store, test and run item syncs, which read the files of a folder",
        USE,
    ),
    "schedules": CommandEntry(
        "app.cli.managing.automation.schedules",
        "schedules",
        "Have imports from connections, exports and item syncs started by the clock",
        USE,
    ),
    "feeds": CommandEntry(
        "app.cli.managing.automation.feeds", "feeds", "Watch folders, and have their files imported as they come", USE
    ),
    "webhook": CommandEntry(
        "app.cli.managing.automation.webhooks",
        "webhooks",
        "Have addresses told when runs have ended or are held, and see what they were sent",
        USE,
    ),
    "emulate": CommandEntry(
        "app.cli.serving.emulate",
        "emulate",
        "Run the whole service for the tests of a program that uses it, with faults on demand",
        RUN,
    ),
    "api": CommandEntry("app.cli.serving.parts", "api", "Serve the HTTP API", RUN),
    "worker": CommandEntry("app.cli.serving.parts", "worker", "Process imports", RUN),
    "migrate": CommandEntry("app.cli.serving.parts", "migrate", "Upgrade the database to the newest schema", RUN),
    "key": CommandEntry("app.cli.keys.api", "keys", "Create, list and revoke API keys", RUN),
    "person": CommandEntry(
        "app.cli.keys.people", "people", "Let people into the dashboard, reset their passwords, and let them out", RUN
    ),
    "audit": CommandEntry(
        "app.cli.managing.access.audit", "audit", "List who has changed what in the account, and from where", RUN
    ),
    "blobs": CommandEntry("app.cli.serving.blobs", "blobs", "Manage the store of uploaded files", RUN),
    "vault": CommandEntry("app.cli.keys.vault", "vault", "Manage the encryption of stored credentials", RUN),
}


class Commands(CommandTable):
    """The commands of `sluice`."""

    entries = COMMANDS


cli = typer.Typer(
    name="sluice",
    cls=Commands,
    rich_markup_mode=None,  # loading what draws boxes would take longer than everything else
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def print_version(wanted: bool) -> None:
    if wanted:
        print(f"sluice {metadata.version('sluice')}")
        raise typer.Exit


@cli.callback()
def sluice(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Show the version and exit")
    ] = False,
) -> None:
    """A self-hosted bulk-import service. Start with: sluice up"""


def main() -> None:
    """Runs the command. Whatever goes wrong is reported in one line on stderr."""
    gc.enable()
    try:
        # In standalone mode typer would draw a box around an error in the arguments.
        exit_code = cli(standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # `sluice … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(CLOSED_PIPE)
    except Exception as error:  # noqa: BLE001  a traceback does not help a person at a terminal
        reason, exit_code = import_module("app.cli.failures").explain_failure(error)
        if reason:
            print(f"sluice: {reason}", file=sys.stderr)
    sys.exit(exit_code)
