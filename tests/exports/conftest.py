"""Exports as their tests make them: records in, a file out, and that file imported again."""

import asyncio
import gzip
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from app.exports import engine
from app.exports.intake import ExportRequest, submit_export
from app.exports.layout import Selected
from app.imports.examine import Upload
from app.imports.intake import Submission, submit
from app.imports.plan import Options, ReadOptions
from app.mappings.declaring.declaration import parse_mapping
from app.mappings.mapping import DEFAULT, INLINE, Mapping
from app.runs.lifecycle import work_on
from app.runs.model import AccountId, Run
from app.runtime import Runtime
from app.storage.access import accounts
from tests.engine.conftest import ImportEngine


class Exports(ImportEngine):
    """One account: what it imports and what it exports. A `mapping` is in the wire form."""

    async def other_account(self) -> "Exports":
        """An account without records."""
        name = hashlib.sha256(str(self.account_id).encode()).hexdigest()
        async with self.runtime.database.transaction() as session:
            return Exports(self.runtime, AccountId(await accounts.account_named(session, name)))

    async def export(self, type: str = "contacts", mapping: dict[str, Any] | None = None, **file: Any) -> bytes:
        """The file, unpacked."""
        run, data = await self.export_run(type, mapping, **file)
        assert run.state == "finished", run.fail_detail
        assert (run.file_bytes, run.file_sha256) == (len(data), hashlib.sha256(data).hexdigest())
        return gzip.decompress(data) if file.get("gzip") else data

    async def export_run(
        self, type: str = "contacts", mapping: dict[str, Any] | None = None, **file: Any
    ) -> tuple[Run, bytes]:
        wanted = file.pop("filter", {})
        selected = Selected(DEFAULT) if mapping is None else Selected(INLINE, parse_mapping(mapping))
        run = await submit_export(self.runtime, ExportRequest(self.account_id, "native", type, file, selected, wanted))
        while not run.done:
            await work_on(self.runtime, run.id, engine.work)
            run = await self.get(run)
        return run, await asyncio.to_thread(self.read_file, run)

    def read_file(self, run: Run) -> bytes:
        if run.blob is None:
            return b""
        with self.runtime.blobs.open(run.blob, run.blob_digests) as file:
            return file.read()

    async def load(
        self, data: bytes | str, type: str = "contacts", mapping: dict[str, Any] | None = None, **options: Any
    ) -> Run:
        """An import that has ended, of a file whose format is found from it."""
        data = data.encode() if isinstance(data, str) else data
        writer = self.runtime.blobs.create()
        writer.write(data)
        upload = Upload(writer, "file", len(data), hashlib.sha256(data).hexdigest(), "utf-8")
        read = ReadOptions(options.pop("format", None), options.pop("delimiter", "auto"))
        chosen = Mapping(matching="loose") if mapping is None else parse_mapping(mapping)
        chosen = replace(chosen, constants=options.pop("constants", chosen.constants))
        wanted = Submission(self.account_id, "api", type, upload, read, chosen, Options(**options))
        return await self.finish(await submit(self.runtime, wanted))


@pytest.fixture
async def exports(runtime: Runtime, request: pytest.FixtureRequest) -> Exports:
    """An account that nobody else uses."""
    async with runtime.database.transaction() as session:
        return Exports(runtime, AccountId(await accounts.account_named(session, request.node.nodeid)))
