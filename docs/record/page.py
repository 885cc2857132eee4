"""Reads and rewrites a page: its files, its commands, and the answers below them.

```csv title="people.csv"     a file: written to the working folder
```sh                         commands: run, unless the line before says `<!-- not run -->`
<!-- run: ID=$(field id) -->  a command that the page does not show
<!-- answer -->               what the commands before printed: the block below is replaced
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

BLOCK = re.compile(
    r"(?P<before><!-- (?P<mark>not run|answer) -->\n)?```(?P<kind>\w*)(?: title=\"(?P<title>[^\"]*)\")?\n(?P<body>.*?)^```$"
    r"|<!-- run: (?P<hidden>.*?) -->",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of a page that means something here. `span` is where it stands in the text."""

    kind: Literal["file", "commands", "answer"]
    text: str
    title: str
    span: tuple[int, int]
    hidden: bool = False


def steps(text: str) -> Iterator[Step]:
    for block in BLOCK.finditer(text):
        title = block["title"] or ""
        if block["hidden"] is not None:
            yield Step("commands", block["hidden"], "", block.span(), hidden=True)
        elif block["mark"] == "answer":
            yield Step("answer", block["body"], title, block.span())
        elif block["mark"] == "not run":
            continue
        elif block["kind"] == "sh":
            yield Step("commands", block["body"], title, block.span())
        elif title:
            yield Step("file", block["body"], title, block.span())


def answer_block(kind: str, title: str, body: str) -> str:
    named = f' title="{title}"' if title else ""
    return f"<!-- answer -->\n```{kind}{named}\n{body.rstrip()}\n```"
