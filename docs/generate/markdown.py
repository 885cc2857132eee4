"""Writes Markdown: tables, headings and anchors."""

import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; `|` inside a code span stays as it is, since Python-Markdown does not cut cells there."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell(each) for each in line) + " |" for line in lines)


def cell(text: str) -> str:
    """Text as it may stand in a cell: on one line, with bars outside of code spans escaped."""
    pieces = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(each if each.startswith("`") else each.replace("|", "\\|") for each in pieces)


def code(text: object) -> str:
    """A code span. A tab is spelled out, because it cannot be seen."""
    return "`" + str(text).replace("\t", "\\t") + "`"


def sentence(text: str) -> str:
    """The text as a sentence of a page: with a capital letter and a full stop."""
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?", ":")) else text + "."


def page(title: str, intro: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", intro.strip(), *(part for part in parts if part)]) + "\n"
