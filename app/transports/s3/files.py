"""Files in S3 and compatible stores: fetched in ranges of one version, uploaded in parts."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from app.transports.failed import DELETING, MOVING, TransportFailed, as_write_failure, failure
from app.transports.s3.client import open_client, translate_errors
from app.transports.transport import (
    CHUNK,
    MOST_MATCHES,
    WILD,
    Begun,
    FileInfo,
    Remote,
    TransferPolicy,
    age_key,
    check_path,
    find_unmoved,
    forget,
    retry_delay,
    select_matching,
    split_pattern,
)

if TYPE_CHECKING:
    from aiobotocore.response import StreamingBody
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef, GetObjectOutputTypeDef

T = TypeVar("T")

PART = 8_388_608  # bytes fetched or sent with one request; S3 accepts at most 10,000 parts of at least 5 MiB
MOST_PAGES = 1_000  # of 1,000 keys each
# By the end of the name; consoles and browsers go by it.
CONTENT_TYPES = {".csv": "text/csv", ".jsonl": "application/jsonl", ".gz": "application/gzip"}
RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")


class ObjectRange(NamedTuple):
    """A range of a file that is being read. `tag` and `total` are those of the whole file."""

    tag: str
    total: int
    body: "StreamingBody"


@asynccontextmanager
async def connect(remote: Remote, policy: TransferPolicy) -> AsyncIterator["S3"]:
    """A client for one bucket. It connects with the first request."""
    async with open_client(remote, policy) as client:
        yield S3(client, remote, policy)


class S3:
    """A bucket, below its folder `root`. `/a.csv`, `./a.csv` and `a.csv` are the same key."""

    def __init__(self, client: "S3Client", remote: Remote, policy: TransferPolicy) -> None:
        self._client = client
        self._bucket = remote.text("bucket")
        root = remote.text("root").strip("/")
        self._root = f"{root}/" if root else ""
        self._policy = policy

    async def list(self, pattern: str, *, strict: bool = False) -> list[FileInfo]:
        folder, name = split_pattern(pattern)
        prefix = self._key(folder)
        literal = name[: next((at for at, sign in enumerate(name) if sign in WILD), len(name))]
        found: list[FileInfo] = []
        pages = 0
        with translate_errors():
            paginator = self._client.get_paginator("list_objects_v2")
            async for page in paginator.paginate(Bucket=self._bucket, Prefix=prefix + literal, Delimiter="/"):
                pages += 1
                if pages > MOST_PAGES:
                    raise failure("too_many")
                listed = list(self._list_files(page.get("Contents", ()), strict=strict))
                found += await self._policy.do_slowly(partial(select_matching, listed, name))
                if len(found) > MOST_MATCHES:
                    raise failure("too_many")
        return sorted((file for file in found if not file.path.endswith("/")), key=age_key)

    async def stat(self, path: str) -> FileInfo:
        key = self._key(path)
        try:
            with translate_errors():
                head = await self._client.head_object(Bucket=self._bucket, Key=key)
        except TransportFailed as failed:
            if failed.reason in {"forbidden", "missing"}:
                await self._raise_exact_failure(key)
            raise
        return FileInfo(path, head.get("ContentLength"), head.get("LastModified"), head.get("ETag"))

    async def read(
        self, path: str, *, offset: int = 0, expected: FileInfo | None = None
    ) -> AsyncGenerator[bytes, None]:
        key = self._key(path)
        tag = expected.tag if expected else None
        total: int | None = None
        while total is None or offset < total:
            part = await self._get_range(key, offset, tag)
            if part is None:
                return
            tag, total = part.tag, part.total
            async with aclosing(read_pieces(part.body)) as body:
                async for piece in body:
                    offset += len(piece)
                    yield piece

    async def put(self, path: str, data: AsyncIterator[bytes], begun: Begun = forget) -> int:
        key = self._key(check_path(path))
        parts = split_into_parts(data)
        try:
            first = await anext(parts)
            if len(first) < PART:
                await begun("")
                await self._retry(lambda: self._put_whole(key, first))
                return len(first)
            return await self._put_parts(key, first, parts, begun)
        except TransportFailed as failed:
            raise as_write_failure(failed) from None

    async def discard(self, path: str, remains: str) -> None:
        try:
            with translate_errors(), suppress(self._client.exceptions.NoSuchUpload):
                await self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key(path), UploadId=remains)
        except TransportFailed as failed:
            raise as_write_failure(failed) from None

    async def delete(self, path: str) -> None:
        try:
            with translate_errors():
                await self._client.delete_object(Bucket=self._bucket, Key=self._key(path))
        except TransportFailed as failed:
            raise as_write_failure(failed, DELETING) from None

    async def move(self, path: str, target: str, expected: FileInfo | None = None) -> bool:
        file = await find_unmoved(self, path, target, expected)
        if file is None:
            return False
        source: dict[str, Any] = {"CopySource": {"Bucket": self._bucket, "Key": self._key(path)}}
        match: dict[str, Any] = {"CopySourceIfMatch": file.tag} if file.tag else {}
        try:
            with translate_errors():
                await self._client.copy_object(Bucket=self._bucket, Key=self._key(target), **source, **match)
        except TransportFailed as failed:
            raise as_write_failure(failed, MOVING | {"missing": "missing", "changed": "changed"}) from None
        await self.delete(path)
        return True

    def _key(self, path: str) -> str:
        path = check_path(path) if path else ""
        return self._root + re.sub(r"^(?:\./|/)+", "", path)

    def _list_files(self, rows: Iterable[Any], *, strict: bool) -> Iterator[FileInfo]:
        """The files whose names can be sent back. Raises failure("odd_name") with `strict` if there are others."""
        for row in rows:
            try:
                check_path(row["Key"])
            except TransportFailed:
                if strict:
                    raise failure("odd_name") from None
                continue
            yield self._file(row)

    def _file(self, row: Any) -> FileInfo:
        return FileInfo(row["Key"].removeprefix(self._root), row["Size"], row["LastModified"], row["ETag"])

    async def _raise_exact_failure(self, key: str) -> None:
        """Raises the exact failure by reading a byte: HEAD answers with 403 or 404 alone, this tells wrong keys from
        missing rights and a missing bucket from a missing file."""
        with translate_errors():
            answer = await self._client.get_object(Bucket=self._bucket, Key=key, Range="bytes=0-0")
            answer["Body"].close()

    async def _get_range(self, key: str, offset: int, tag: str | None) -> "ObjectRange | None":
        """The bytes from `offset` on, of the version with this tag; None if there are none."""
        byte_range = f"bytes={offset}-{offset + PART - 1}"
        match: dict[str, Any] = {"IfMatch": tag} if tag else {}
        with translate_errors():
            try:
                answer = await self._client.get_object(Bucket=self._bucket, Key=key, Range=byte_range, **match)
            except ClientError as wrong:
                if wrong.response.get("Error", {}).get("Code") != "InvalidRange":
                    raise
                return None
        try:
            return ObjectRange(answer["ETag"], read_total(answer, offset), answer["Body"])
        except (TransportFailed, KeyError):
            answer["Body"].close()
            raise failure("odd_answer") from None

    async def _put_whole(self, key: str, data: bytes) -> None:
        with translate_errors():
            await self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=find_content_type(key))

    async def _put_parts(self, key: str, first: bytes, rest: AsyncIterator[bytes], begun: Begun) -> int:
        with translate_errors():
            upload = await self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=find_content_type(key)
            )
        ids: dict[str, Any] = {"Bucket": self._bucket, "Key": key, "UploadId": upload["UploadId"]}
        try:
            await begun(upload["UploadId"])
            done, size = [await self._put_part(ids, 1, first)], len(first)
            async for part in rest:
                done.append(await self._put_part(ids, len(done) + 1, part))
                size += len(part)
            await begun(upload["UploadId"])
            with translate_errors():
                await self._client.complete_multipart_upload(**ids, MultipartUpload={"Parts": done})
        except BaseException:
            # The parts of an upload that is never completed are stored, and paid for, for ever.
            with suppress(BotoCoreError, ClientError, aiohttp.ClientError, TransportFailed):
                await asyncio.shield(self._client.abort_multipart_upload(**ids))
            raise
        return size

    async def _put_part(self, ids: dict[str, Any], number: int, data: bytes) -> "CompletedPartTypeDef":
        async def send_part() -> "CompletedPartTypeDef":
            with translate_errors():
                answer = await self._client.upload_part(**ids, PartNumber=number, Body=data)
            return {"PartNumber": number, "ETag": answer["ETag"]}

        return await self._retry(send_part)

    async def _retry(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of `call`, which is repeated after a transient failure."""
        for attempt in range(1, self._policy.tries):
            try:
                return await call()
            except TransportFailed as failed:
                if not failed.transient:
                    raise
            await asyncio.sleep(retry_delay(attempt))
        return await call()


def read_total(answer: "GetObjectOutputTypeDef", offset: int) -> int:
    """The length of the whole file, from an answer that must begin at `offset`."""
    content_range = RANGE.fullmatch(answer.get("ContentRange", ""))
    if content_range and int(content_range[1]) == offset:
        return int(content_range[2])
    if content_range or offset:
        raise failure("odd_answer")
    return answer["ContentLength"]  # the server does not support ranges and sent all of it


async def read_pieces(body: "StreamingBody") -> AsyncGenerator[bytes, None]:
    """The bytes of one answer. An empty one is cut off: ranges are requested only of files that are not empty."""
    received = False
    try:
        with translate_errors():
            while piece := await body.read(CHUNK):
                received = True
                yield piece
    finally:
        body.close()
    if not received:
        raise failure("cut")


def find_content_type(key: str) -> str:
    return CONTENT_TYPES.get(PurePosixPath(key).suffix.lower(), "application/octet-stream")


async def split_into_parts(data: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in parts of PART bytes; the last is shorter. There is at least one, which may be empty."""
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
