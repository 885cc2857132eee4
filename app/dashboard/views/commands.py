"""The same as a command: what a page does, as a `curl` with the key left out."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final

KEY: Final = '-H "Authorization: apiKey $SLUICE_KEY"'


def write_curl(url: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> str:
    """For a shell: whatever the body holds is one argument."""
    verb = "" if method == "GET" else f"-X {method} "
    command = f"curl {verb}{KEY} {shlex.quote(url)}"
    if body is None:
        return command
    sent = shlex.quote(json.dumps(body, ensure_ascii=False))
    return f"{command} \\\n  -H 'Content-Type: application/json' \\\n  -d {sent}"
