"""`python -m docs.record [PAGE…]`: runs the commands of pages and writes the answers into them; `--check` only compares the
statuses, and that no command fails."""

import os
import re
import sys
import tempfile
from http import HTTPStatus
from pathlib import Path

from docs.record.layout import layout
from docs.record.page import answer_block, steps
from docs.record.service import Stage, stage
from docs.record.shell import Printed, Shell

DOCS = Path(__file__).resolve().parents[1]
README = DOCS.parent / "README.md"
SECRET = re.compile(r"(sluice_[0-9a-f]{16}:|sluice_at_)[\w-]{20,}")


def main(names: list[str]) -> int:
    check = "--check" in names
    named = [Path(name).resolve() for name in names if not name.startswith("--")]
    pages = named or [
        path for path in [README, *sorted(DOCS.rglob("*.md"))] if ".pages" not in path.parts and recorded(path)
    ]
    with (
        tempfile.TemporaryDirectory(prefix="sluice-docs-") as folder,
        stage(Path(folder), DOCS.parent / "examples") as place,
    ):
        wrong = [each for path in pages for each in play(path, place, check=check)]
    for each in wrong:
        print(each, file=sys.stderr)
    return 1 if wrong else 0


def recorded(path: Path) -> bool:
    return "<!-- answer -->" in path.read_text()


def play(path: Path, place: Stage, *, check: bool) -> list[str]:
    """Runs a page's commands in their order, and says what is wrong with them."""
    text, wrong, pieces, done = path.read_text(), [], [], 0
    name, printed = path.relative_to(DOCS.parent), Printed("", None, 0)
    with Shell(place.folder, environment(place, account=path.stem)) as shell:
        for step in steps(text):
            if step.kind == "file":
                (place.folder / step.title).write_text(step.text)
            elif step.kind == "commands":
                printed = shell.run(place.played(step.text))
                if printed.exit_code > 1:  # `sluice import` ends with 1 where rows are bad
                    wrong.append(f"{name}: exit code {printed.exit_code} of: {step.text.strip()}")
            else:
                block = shown(place, printed)
                if check and title(printed) != step.title:
                    wrong.append(f"{name}: answered {title(printed)}, the page has {step.title}: {printed.text}")
                pieces += [text[done : step.span[0]], block]
                done = step.span[1]
    if not check:
        path.write_text("".join(pieces) + text[done:])
    return wrong


def environment(place: Stage, account: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{own.get('PATH', '')}"
    return own | {"PATH": path, "SLUICE_URL": place.url, "SLUICE_KEY": place.key(account), "COLUMNS": "110"}


def shown(place: Stage, printed: Printed) -> str:
    # Without the mark that begins a file of failed rows: on a page nobody could see it.
    text = SECRET.sub(r"\1…", place.printed(printed.text)).replace("\ufeff", "")
    laid_out = layout(text)
    kind = "json" if laid_out else "csv" if printed.status and "," in text.split("\n")[0] else "text"
    return answer_block(kind, title(printed), laid_out or text or "(no body)")


def title(printed: Printed) -> str:
    return f"{printed.status} {HTTPStatus(printed.status).phrase}" if printed.status else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
