"""Runs both servers on a folder and says where they are; the tests kill this process.

run_servers.py FOLDER [ACCOUNT]: root can become another account first.
"""

import encodings.idna  # noqa: F401 – see below
import json
import os
import pwd
import signal
import sys
from pathlib import Path

from app.embedded import run_servers

# Only now, and with all that is imported late: the account may not reach the interpreter that these tests run in.
if sys.argv[2:]:
    account = pwd.getpwnam(sys.argv[2])
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)

with run_servers(Path(sys.argv[1])) as servers:
    children = (servers.postgres.child, servers.valkey.child)
    pids = [child.process.pid for child in children if child]
    print(json.dumps([servers.database_url, servers.redis_url, pids]), flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    signal.pause()
