"""What several threads read for the first time at once."""

import subprocess
import sys

CHILDREN = 20
# The first slices of a worker read the plans of their imports in threads. A short switch interval makes the threads
# meet; in a process of its own, because what is told of a type is told once.
SCRIPT = f"""
import os, sys, threading
from app.imports.plan import Options, Plan, PendingPlan, read_options, read_pending_plan, read_plan
from app.syncs.plan import read_fetch_plan

READ = (read_options, read_plan, read_pending_plan, read_fetch_plan)
VALUE = {{"dialect": {{}}, "read": {{}}, "folders": {{}}}}

def read(barrier, reader):
    barrier.wait()
    try:
        reader(VALUE)
    except Exception:
        pass  # what is wrong with the value does not matter here

for _ in range({CHILDREN}):
    child = os.fork()
    if not child:
        sys.setswitchinterval(1e-6)
        for reader in READ:
            barrier = threading.Barrier(4)
            threads = [threading.Thread(target=read, args=(barrier, reader)) for _ in range(4)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


def test_threads_may_read_the_same_type_for_the_first_time_at_once() -> None:
    """msgspec 0.22 ends the process with SIGSEGV if two threads make it look at a type at once."""
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout.split() == ["0"] * CHILDREN, ended.stderr
