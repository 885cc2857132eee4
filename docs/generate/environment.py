"""`python -m docs.generate.environment`: writes `deploy/sluice.env`, a line for each setting, from the table of settings."""

import textwrap
from pathlib import Path

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy/sluice.env"
HEAD = """\
# Every setting of Sluice with its default, made of the table in the code by `make deploy-env`.
# Remove the `#` in front of a setting to change it. Keep this file to yourself: it holds passwords and secrets.
# compose, the systemd units and `docker run --env-file` read it as it is: no quotes, no `export`.
"""
# What an installation with servers of its own always sets.
NEEDED = ("database_url", "redis_url", "secret_key")
WIDTH = 118


def write() -> str:
    """The text of the file."""
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        text = (field.description or "").replace("`", "")
        lines += textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")
        default = "" if field.default is None else field.default
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        lines += [f"{'' if name in NEEDED else '#'}SLUICE_{name.upper()}={shown}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    FILE.write_text(write())
