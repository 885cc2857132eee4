"""Receives a file that is the whole body of a request; its options are in the query."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Request
from python_multipart.multipart import parse_options_header

from app.errors import Complaint, Refused, shorten_name
from app.formats.decode import normalize_encoding
from app.imports.sources.filenames import sanitize_filename
from app.imports.sources.incoming import IncomingFile
from app.mappings.declaring.requested import BODY_MEMBER, ID_MEMBER
from app.mappings.mapping import DEFAULT
from app.runtime import Runtime
from app.web.bodies.arrival import body_chunks
from app.web.bodies.multipart import decode_name, find_file_name
from app.web.bodies.upload import ENCODING_PART, SHEET_PART, FindEncoding, Form, refuse_too_long

# Media type -> the options that it says, where the query does not.
MEDIA_TYPES: Final[Mapping[str, Mapping[str, str]]] = {
    "text/csv": {"format": "csv"},
    "text/tab-separated-values": {"format": "csv", "delimiter": "tab"},
    "application/jsonl": {"format": "jsonl"},
    "application/x-ndjson": {"format": "jsonl"},
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {},
    "application/vnd.ms-excel": {},
    "application/vnd.oasis.opendocument.spreadsheet": {},
    "application/octet-stream": {},  # what clients call a file that they know nothing of: its beginning decides
}


def read_media_type(request: Request) -> tuple[str, str]:
    """The media type of the body in lower case, and its charset; "" for what is not there."""
    media_type, options = parse_options_header(request.headers.get("content-type"))
    return decode_name(media_type).lower(), decode_name(options.get(b"charset", b""))


def is_raw_file(request: Request) -> bool:
    """Whether the body is declared as a file."""
    return read_media_type(request)[0] in MEDIA_TYPES


@asynccontextmanager
async def receive_raw(
    request: Request, runtime: Runtime, find_encoding: FindEncoding, known: Collection[str]
) -> AsyncIterator[Form]:
    """The same as a form with the file, with the query for its other parts; `known` are those that there are. What is
    left out has the defaults of our own API. Unless the upload is committed within the block, nothing of it stays.

    Raises Refused: unsupported_media_type, bad_request (aborted, idle), too_large, unreadable_file.
    """
    refuse_too_long(request, runtime.settings, other_bytes=0)
    media_type, charset = read_media_type(request)
    sent = request.query_params.multi_items()
    parts = {**MEDIA_TYPES[media_type], **{name: value for name, value in sent if value}}
    if not parts.keys() & {ID_MEMBER, BODY_MEMBER}:
        parts[ID_MEMBER] = DEFAULT
    complaints = list(find_unknown(parts, known))
    file = IncomingFile(runtime, read_encoding(parts, complaints) or await find_encoding(parts), workbooks=True)
    file.describe(charset)
    file.sheet = parts.get(SHEET_PART, "").strip()
    try:
        async for chunk in body_chunks(request, idle=runtime.settings.upload_idle_seconds):
            await file.add(chunk)
        await file.end()
        if not file.size:
            raise Refused("empty_file", EMPTY, [Complaint("file", EMPTY)])
        names = [name for name, _ in sent]
        repeated = frozenset(name for name in names if names.count(name) > 1)
        yield Form(parts, repeated, file.as_upload(name_file(request)), tuple(complaints))
    finally:
        file.discard()


EMPTY: Final = "The body is empty: it has to be the file"


def find_unknown(parts: Collection[str], known: Collection[str]) -> Iterator[Complaint]:
    """Names that are misspelled would be ignored without a word."""
    for name in parts:
        if name not in known:
            short = shorten_name(name)
            yield Complaint(short, f"`{short}` is not an option of an import, so it must not be in the query")


def read_encoding(parts: Mapping[str, str], complaints: list[Complaint]) -> str | None:
    """The declared encoding. An unknown one becomes a complaint, beside all others."""
    try:
        return normalize_encoding(parts[ENCODING_PART].strip()) if ENCODING_PART in parts else None
    except Refused as unknown:
        complaints += unknown.complaints
        return None


def name_file(request: Request) -> str | None:
    """What the client calls the file, in the header Content-Disposition."""
    name = find_file_name(request.headers.get("content-disposition", "").encode("latin-1"))
    return sanitize_filename(name or "")
