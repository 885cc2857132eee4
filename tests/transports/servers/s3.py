"""An S3 service: moto in this process, behind a wire that speaks TLS."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import boto3
import httpx
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from app.transports.transport import Remote
from tests.transports.servers.server import RIGHTS, Certificates, Wire

BUCKET = "partner-files"
# Right -> actions of a policy. Amazon lets whoever began an upload abort it unless a policy denies it.
ACTIONS = {
    "read": ["s3:GetObject", "s3:ListBucket"],
    "write": ["s3:PutObject"],
    "delete": ["s3:DeleteObject", "s3:AbortMultipartUpload"],
}


class S3Server:
    """A bucket as the conformance tests want it."""

    patterns = True
    writes = True
    secure = True

    def __init__(self, wire: Wire, access_key: str, secret_key: str) -> None:
        self.wire = wire
        self._keys = {"access_key": SecretStr(access_key), "secret_key": SecretStr(secret_key)}
        self.remote = self.at(wire.port)

    @property
    def backend(self) -> Any:
        return get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"]

    async def store(self, name: str, data: bytes, modified: datetime | None = None) -> None:
        key = self.backend.put_object(BUCKET, name, data)
        if modified:
            key.last_modified = modified.replace(tzinfo=None)

    async def remove(self, name: str) -> None:
        self.backend.delete_object(BUCKET, name)

    async def stored(self, name: str) -> bytes | None:
        key = self.backend.get_object(BUCKET, name)
        return key.value if key else None

    async def names(self) -> set[str]:
        bucket = self.backend.buckets[BUCKET]
        return set(bucket.keys) | {upload.key_name for upload in bucket.multiparts.values()}

    async def clear(self) -> None:
        self.backend.buckets[BUCKET].keys.clear()
        self.backend.buckets[BUCKET].multiparts.clear()
        self.wire.heal()
        self.permit(*RIGHTS)

    def permit(self, *rights: str) -> None:
        self.allow([action for right in rights for action in ACTIONS[right]])

    def allow(self, actions: list[str]) -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        get_backend("iam")[DEFAULT_ACCOUNT_ID]["aws"].put_user_policy("partner", "all", policy)

    def unwelcome(self) -> Remote:
        return replace(self.remote, options={**self.remote.options, "secret_key": SecretStr("wrong")})

    def at(self, port: int) -> Remote:
        options = {"bucket": BUCKET, "region": "us-east-1", "endpoint": f"https://127.0.0.1:{port}", **self._keys}
        return Remote("s3", "127.0.0.1", port, options=options)

    def cut_after(self, size: int) -> None:
        self.wire.fail_after(size, "cut")

    def stall_after(self, size: int) -> None:
        self.wire.fail_after(size, "stall")


# moto keeps its users, buckets and whether it looks at keys in the process: two at a time would be one.
RUNNING: list[S3Server] = []


@asynccontextmanager
async def s3_server(certificates: Certificates) -> AsyncIterator[S3Server]:
    """The one that runs, emptied of what another test has left, else a new one. Its user may do everything."""
    if RUNNING:
        await RUNNING[0].clear()
        RUNNING[0].allow(["*"])
        yield RUNNING[0]
        return
    async with started(certificates) as server:
        RUNNING.append(server)
        try:
            yield server
        finally:
            RUNNING.clear()


@asynccontextmanager
async def started(certificates: Certificates) -> AsyncIterator[S3Server]:
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    _, port = moto.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    given = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    try:
        # What one before it has left.
        httpx.post(f"{url}/moto-api/reset-auth", content=b"1000000").raise_for_status()
        httpx.post(f"{url}/moto-api/reset").raise_for_status()
        boto3.client("s3", endpoint_url=url, **given).create_bucket(Bucket=BUCKET)
        people = boto3.client("iam", endpoint_url=url, **given)
        people.create_user(UserName="partner")
        keys = people.create_access_key(UserName="partner")["AccessKey"]
        # From now on moto looks at keys and signatures.
        httpx.post(f"{url}/moto-api/reset-auth", content=b"0").raise_for_status()
        async with Wire(port, certificates.server()).running() as wire:
            server = S3Server(wire, keys["AccessKeyId"], keys["SecretAccessKey"])
            server.allow(["*"])
            yield server
    finally:
        moto.stop()
