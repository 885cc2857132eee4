"""Wrong clocks: a library that is loaded before all others and shifts what a process takes for the time of day."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHIFT = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long shift(void) { const char *seconds = getenv("CLOCK_AHEAD"); return seconds ? atol(seconds) : 0; }

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += shift();
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where) *where = now.tv_sec;
    return now.tv_sec;
}
"""


def build_wrong_clock(folder: Path) -> Path:
    """The library that `ahead_by` needs. Skips the test without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("A wrong clock needs Linux and a C compiler")
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(SHIFT)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library


def ahead_by(library: Path, seconds: int) -> dict[str, str]:
    """The environment of a process whose clock is so many seconds ahead, or behind if they are negative. Clocks that
    measure how long something takes stay right."""
    before = os.environ.get("LD_PRELOAD")
    return {"LD_PRELOAD": f"{library}:{before}" if before else str(library), "CLOCK_AHEAD": str(seconds)}
