"""The machine and the programs that the figures belong to."""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from redis import Redis

from app.embedded import Instance
from benchmarks.floor import psql


@dataclass(frozen=True, slots=True)
class Machine:
    """Each field as it is to be read."""

    date: str
    processor: str
    memory: str
    kernel: str
    python: str
    postgres: str
    valkey: str
    load: str

    def lines(self) -> Sequence[str]:
        return (
            f"Date: {self.date}",
            f"Processor: {self.processor}",
            f"Memory: {self.memory}",
            f"Kernel: {self.kernel}",
            f"Python {self.python}, PostgreSQL {self.postgres}, Valkey {self.valkey}",
            f"Load average when it began: {self.load} (0 is quiet; whatever else runs makes the figures worse)",
        )


def machine(instance: Instance, load: str) -> Machine:
    valkey = Redis.from_url(instance.redis_url)
    try:
        told = cast("dict[str, object]", valkey.info("server"))
    finally:
        valkey.close()
    return Machine(
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        processor=f"{os.cpu_count()} × {processor()}",
        memory=f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB",
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        postgres=psql(instance.database_url, "SHOW server_version"),
        valkey=str(told.get("valkey_version") or told["redis_version"]),
        load=load,
    )


def load_now() -> str:
    return f"{os.getloadavg()[0]:.2f}"


def processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except FileNotFoundError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()
