"""Files in S3 and what speaks like it: parts fetched by range and bound to one version, uploads in parts."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from app.transports.failed import TransportFailed, failure, while_writing
from app.transports.s3.client import client_at, spoken
from app.transports.transport import CHUNK, WILD, Entry, Remote, Terms, chosen, pause, plain, split_pattern

if TYPE_CHECKING:
    from aiobotocore.response import StreamingBody
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef, GetObjectOutputTypeDef

T = TypeVar("T")

PART = 8_388_608  # bytes fetched or sent with one request; S3 takes at most 10,000 parts of at least 5 MiB
MOST_PAGES = 1_000  # of 1,000 keys each
RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")


class Part(NamedTuple):
    """A piece of a file on its way; `tag` and `total` are those of the whole file."""

    tag: str
    total: int
    body: "StreamingBody"


@asynccontextmanager
async def connected(remote: Remote, terms: Terms) -> AsyncIterator["S3"]:
    """A client for one bucket; it connects with the first request."""
    async with client_at(remote, terms) as client:
        yield S3(client, remote, terms)


class S3:
    """A bucket, from its folder `root` on; `/a.csv`, `./a.csv` and `a.csv` are one key."""

    def __init__(self, client: "S3Client", remote: Remote, terms: Terms) -> None:
        self._client = client
        self._bucket = remote.text("bucket")
        root = remote.text("root").strip("/")
        self._root = f"{root}/" if root else ""
        self._terms = terms

    async def list(self, pattern: str) -> list[Entry]:
        folder, name = split_pattern(pattern)
        prefix = self._key(folder)
        literal = name[: next((at for at, sign in enumerate(name) if sign in WILD), len(name))]
        found: list[Entry] = []
        pages = 0
        with spoken():
            paginator = self._client.get_paginator("list_objects_v2")
            async for page in paginator.paginate(Bucket=self._bucket, Prefix=prefix + literal, Delimiter="/"):
                pages += 1
                if pages > MOST_PAGES:
                    raise failure("too_many")
                found = chosen([*found, *self._entries(page.get("Contents", ()))], name)
        return [entry for entry in found if not entry.path.endswith("/")]

    async def stat(self, path: str) -> Entry:
        key = self._key(path)
        try:
            with spoken():
                head = await self._client.head_object(Bucket=self._bucket, Key=key)
        except TransportFailed as failed:
            if failed.reason in {"forbidden", "missing"}:
                await self._say_why(key)
            raise
        return Entry(path, head.get("ContentLength"), head.get("LastModified"), head.get("ETag"))

    async def read(self, path: str, *, offset: int = 0, expected: Entry | None = None) -> AsyncGenerator[bytes, None]:
        key = self._key(path)
        tag = expected.tag if expected else None
        total: int | None = None
        while total is None or offset < total:
            part = await self._part(key, offset, tag)
            if part is None:
                return
            tag, total = part.tag, part.total
            async with aclosing(pieces(part.body)) as body:
                async for piece in body:
                    offset += len(piece)
                    yield piece

    async def put(self, path: str, data: AsyncIterator[bytes]) -> Entry:
        key = self._key(path)
        parts = in_parts(data)
        try:
            first = await anext(parts)
            if len(first) < PART:
                await self._tried(lambda: self._put_whole(key, first))
            else:
                await self._put_parts(key, first, parts)
        except TransportFailed as failed:
            raise while_writing(failed) from None
        return await self.stat(path)

    async def delete(self, path: str) -> None:
        try:
            with spoken():
                await self._client.delete_object(Bucket=self._bucket, Key=self._key(path))
        except TransportFailed as failed:
            raise while_writing(failed) from None

    def _key(self, path: str) -> str:
        path = plain(path) if path else ""
        return self._root + re.sub(r"^(?:\./|/)+", "", path)

    def _entries(self, rows: Iterable[Any]) -> Iterator[Entry]:
        """Those whose names can be asked for."""
        for row in rows:
            with suppress(TransportFailed):
                plain(row["Key"])
                yield self._entry(row)

    def _entry(self, row: Any) -> Entry:
        return Entry(row["Key"].removeprefix(self._root), row["Size"], row["LastModified"], row["ETag"])

    async def _say_why(self, key: str) -> None:
        """Asks for a byte: HEAD says 403 or 404 alone, this says whether it was the keys or the rights, the bucket or
        the file."""
        with spoken():
            answer = await self._client.get_object(Bucket=self._bucket, Key=key, Range="bytes=0-0")
            answer["Body"].close()

    async def _part(self, key: str, offset: int, tag: str | None) -> "Part | None":
        """The bytes from `offset` on, of the version that has this tag; None if there are none."""
        wanted = f"bytes={offset}-{offset + PART - 1}"
        match: dict[str, Any] = {"IfMatch": tag} if tag else {}
        with spoken():
            try:
                answer = await self._client.get_object(Bucket=self._bucket, Key=key, Range=wanted, **match)
            except ClientError as wrong:
                if wrong.response.get("Error", {}).get("Code") != "InvalidRange":
                    raise
                return None
        try:
            return Part(answer["ETag"], length_of(answer, offset), answer["Body"])
        except (TransportFailed, KeyError):
            answer["Body"].close()
            raise failure("odd_answer") from None

    async def _put_whole(self, key: str, data: bytes) -> None:
        with spoken():
            await self._client.put_object(Bucket=self._bucket, Key=key, Body=data)

    async def _put_parts(self, key: str, first: bytes, rest: AsyncIterator[bytes]) -> None:
        with spoken():
            upload = await self._client.create_multipart_upload(Bucket=self._bucket, Key=key)
        ids: dict[str, Any] = {"Bucket": self._bucket, "Key": key, "UploadId": upload["UploadId"]}
        try:
            done = [await self._put_part(ids, 1, first)]
            async for part in rest:
                done.append(await self._put_part(ids, len(done) + 1, part))
            with spoken():
                await self._client.complete_multipart_upload(**ids, MultipartUpload={"Parts": done})
        except BaseException:
            # Parts of an upload that nobody ends are stored, and paid for, for ever.
            with suppress(BotoCoreError, ClientError, aiohttp.ClientError, TransportFailed):
                await asyncio.shield(self._client.abort_multipart_upload(**ids))
            raise

    async def _put_part(self, ids: dict[str, Any], number: int, data: bytes) -> "CompletedPartTypeDef":
        async def sent() -> "CompletedPartTypeDef":
            with spoken():
                answer = await self._client.upload_part(**ids, PartNumber=number, Body=data)
            return {"PartNumber": number, "ETag": answer["ETag"]}

        return await self._tried(sent)

    async def _tried(self, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` gives, asked again after a passing failure."""
        for attempt in range(1, self._terms.tries):
            try:
                return await call()
            except TransportFailed as failed:
                if not failed.passing:
                    raise
            await asyncio.sleep(pause(attempt))
        return await call()


def length_of(answer: "GetObjectOutputTypeDef", offset: int) -> int:
    """The length of the whole file by an answer that must begin at `offset`."""
    told = RANGE.fullmatch(answer.get("ContentRange", ""))
    if told and int(told[1]) == offset:
        return int(told[2])
    if told or offset:
        raise failure("odd_answer")
    return answer["ContentLength"]  # a server that knows no ranges sent all of it


async def pieces(body: "StreamingBody") -> AsyncGenerator[bytes, None]:
    """The bytes of one answer; one without any is cut off, for only files with bytes are asked for them."""
    some = False
    try:
        with spoken():
            while piece := await body.read(CHUNK):
                some = True
                yield piece
    finally:
        body.close()
    if not some:
        raise failure("cut")


async def in_parts(data: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in parts of PART, but for the last; at least one, which may be empty."""
    held = bytearray()
    number = 0
    async for piece in data:
        held += piece
        while len(held) >= PART:
            yield bytes(held[:PART])
            number += 1
            del held[:PART]
    if held or not number:
        yield bytes(held)
