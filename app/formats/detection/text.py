"""Recognises text that is neither CSV nor JSON Lines by how it begins: web pages, XML, JSON documents, UTF-7."""

import json
import re
from typing import Final

from app.errors import Complaint, Refused, describe
from app.formats.characters import spell_invisible
from app.formats.detection.binary import AS_CSV, foreign_file

BLANKS: Final = b" \t\r\n\xef\xbb\xbf"  # before the first character, with byte order marks too many
LINES: Final = "Send one JSON object per line, without brackets around them and commas between them"

_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]|<head>|<body[\s>]", re.IGNORECASE)
# Headings may stand in angle brackets (`<TICKER>,<PER>`), so such a tag counts only where another one is closed.
_TAG = re.compile(rb"<(?:!--|(?:title|meta|link|script|style|table|div|form|center|h[1-6]|p|br)[\s>/])", re.IGNORECASE)
_WORKBOOK = re.compile(rb"<\?xml\b.{0,2000}urn:schemas-microsoft-com:office:spreadsheet", re.DOTALL)
_ARRAY = re.compile(rb"\[\s*(?:[\{\]]|\Z)")
_PRINTED_OBJECT = re.compile(rb"\{[ \t]*[\r\n]\s*[\"\}]")
_OBJECT = re.compile(rb"\{\s*[\"\}]")
_FILE_NAME = re.compile(rb"[^\r\n,;|\t{<]{1,250}\.(?:csv|tsv|txt|jsonl?|ndjson|xlsx?|zip|gz)", re.IGNORECASE)
_UTF7_MARK = re.compile(rb"\+/v[89+/]")


def refuse_foreign_text(head: bytes, file_format: str, *, whole: bool, prescribed: bool) -> None:
    """Raises Refused("unreadable_file") if the file that begins with `head` (UTF-8) is text of another kind.

    `file_format` is how it would be read, `whole` says that the file ends with `head`, and `prescribed` that the caller
    cannot choose a format.
    """
    beginning = head.lstrip(BLANKS)
    if whole and _FILE_NAME.fullmatch(beginning.rstrip()):
        raise _name_only(beginning.rstrip().decode("utf-8", "replace"))
    _refuse_markup(beginning)
    _refuse_json_document(beginning)
    if _UTF7_MARK.match(beginning):
        raise foreign_file("text in UTF-7", "Save it as UTF-8")
    if file_format == "csv" and _OBJECT.match(beginning):
        raise _other_format("The file is JSON Lines, but would be read as CSV", None if prescribed else "jsonl")
    if file_format == "jsonl" and beginning and not _has_json(head, whole=whole):
        detail = "No line of the file begins with an object, so that it is not JSON Lines"
        raise _other_format(detail, None if prescribed else "csv")


def _name_only(name: str) -> Refused:
    detail = (
        f"The file has only the name of a file in it: `{spell_invisible(name)}`. "
        "curl sends the file itself if its name follows an `@`, as in `-F file=@people.csv`"
    )
    return Refused("unreadable_file", detail, [Complaint("file", detail)])


def _other_format(detail: str, fitting: str | None) -> Refused:
    """`fitting` is the format that the caller may ask for instead."""
    complaints = [Complaint("file", detail)]
    if fitting:
        complaints.append(Complaint("format", f"Send `format={fitting}` if that is how the file is meant"))
    return Refused("unreadable_file", describe(complaints), complaints)


def _refuse_markup(beginning: bytes) -> None:
    if _WORKBOOK.match(beginning):
        raise foreign_file("a spreadsheet workbook (XML)", AS_CSV)
    if _HTML.match(beginning) or (_TAG.match(beginning) and b"</" in beginning):
        raise foreign_file(
            "a web page (HTML)",
            "If a link leads to it, check whether the link needs a login. If a program exported it, save it as CSV",
        )
    if beginning.startswith(b"<?xml"):
        xhtml = _HTML.search(beginning[:2_000])
        raise foreign_file("a web page (HTML)" if xhtml else "an XML document", AS_CSV)
    if beginning.startswith(b"{\\rtf"):
        raise foreign_file("a text document (RTF)", AS_CSV)


def _refuse_json_document(beginning: bytes) -> None:
    if _ARRAY.match(beginning):
        raise foreign_file("one JSON array", LINES)
    if _PRINTED_OBJECT.match(beginning):
        raise foreign_file("one JSON document over several lines", LINES)


def _has_json(head: bytes, *, whole: bool) -> bool:
    """Whether a line begins with an object, or the first one is JSON of another kind, which fails as a row."""
    lines = [line for line in map(bytes.strip, head.split(b"\n")) if line]
    if any(line.startswith(b"{") for line in lines) or (len(lines) == 1 and not whole):
        return True
    try:
        json.loads(lines[0])
    except (ValueError, RecursionError):
        return False
    return True
