"""An object store for a test process: moto in a process of its own, behind a gate that shuts and cuts."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx

from app.embedded import free_port

HOST = "127.0.0.1"
BUCKET = "sluice-blobs"
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


class Gate:
    """A port that leads to another one, as long as it is open."""

    def __init__(self, behind: int) -> None:
        self.behind, self.port = behind, free_port()
        self.requests = 0
        self._left: int | None = None
        self._listening: socket.socket | None = None
        self.open()

    def open(self) -> None:
        self._listening = socket.create_server((HOST, self.port), backlog=64)
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def shut(self) -> None:
        """Whoever comes now is refused."""
        if self._listening:
            # Only this wakes the thread that accepts.
            with suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
        self._listening = None

    def cut_after(self, size: int) -> None:
        """Breaks the next connection on which so many bytes have been answered."""
        self._left = size

    @contextmanager
    def closed(self) -> Iterator[None]:
        self.shut()
        try:
            yield
        finally:
            self.open()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listening.accept()
                self.requests += 1
                threading.Thread(target=self._serve, args=(here,), daemon=True).start()

    def _serve(self, here: socket.socket) -> None:
        with here, suppress(OSError), socket.create_connection((HOST, self.behind)) as there:
            up = threading.Thread(target=self._pump, args=(here, there, False), daemon=True)
            up.start()
            self._pump(there, here, True)
            up.join()

    def _pump(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(16_384):
                if answers and self._cuts(len(piece)):
                    break
                target.sendall(piece)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _cuts(self, size: int) -> bool:
        if self._left is None:
            return False
        self._left -= size
        if self._left > 0:
            return False
        self._left = None
        return True


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A running store. `client` goes straight to it, whatever the gate does."""

    gate: Gate
    client: Any
    key: str
    secret: str
    scheme: str = "http"

    def url(self, prefix: str) -> str:
        return f"s3://{BUCKET}/{prefix}?endpoint={self.scheme}://{HOST}:{self.gate.port}&region=us-east-1"

    def keys(self, prefix: str) -> set[str]:
        found = self.client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return {each["Key"] for each in found.get("Contents", ())}


@contextmanager
def object_store(folder: Path) -> Iterator[ObjectStore]:
    """Blocking."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)]
    with (folder / "moto.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "MOTO_IAM_LOAD_MANAGED": "false"})
        try:
            yield furnished(port, server)
        finally:
            server.terminate()
            server.wait(10)


def furnished(port: int, server: subprocess.Popen[bytes]) -> ObjectStore:
    """Once it answers: with a bucket, and somebody who may use it."""
    url = f"http://{HOST}:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{url}/moto-api/", trust_env=False)
            break
        except httpx.TransportError:
            assert server.poll() is None, "the object store ended"
            assert time.monotonic() < deadline, "the object store did not start"
            time.sleep(0.1)
    people = boto3.client("iam", **given(url, "x", "x"))
    people.create_user(UserName="sluice")
    people.put_user_policy(UserName="sluice", PolicyName="all", PolicyDocument=POLICY)
    keys = people.create_access_key(UserName="sluice")["AccessKey"]
    # From now on moto looks at keys and signatures.
    httpx.post(f"{url}/moto-api/reset-auth", content=b"0", trust_env=False).raise_for_status()
    client = boto3.client("s3", **given(url, keys["AccessKeyId"], keys["SecretAccessKey"]))
    client.create_bucket(Bucket=BUCKET)
    return ObjectStore(Gate(port), client, keys["AccessKeyId"], keys["SecretAccessKey"])


def given(url: str, key: str, secret: str) -> dict[str, str]:
    return {
        "endpoint_url": url,
        "region_name": "us-east-1",
        "aws_access_key_id": key,
        "aws_secret_access_key": secret,
    }
