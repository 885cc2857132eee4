"""What a page does, as a command: "Do this from a script"."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final

KEY: Final = '-H "Authorization: apiKey $SLUICE_KEY"'


def write_curl(base: str, path: str, *, method: str = "", body: Mapping[str, Any] | None = None) -> str:
    """The same request to the API, for a shell. `base` is the address of the service; the key is left out. Without a
    `method` it is GET, or POST with a body."""
    parts = ["curl", *(["-X", method] if method else []), KEY, shlex.quote(f"{base}{path}")]
    command = " ".join(parts)
    return command if body is None else f"{command} \\\n  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}"
