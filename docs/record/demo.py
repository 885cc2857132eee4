"""`python -m docs.record.demo`: runs `sluice demo` and draws what it prints as docs/assets/demo.svg."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

DRAWING = Path(__file__).resolve().parents[1] / "assets/demo.svg"
WIDTH = 132


def draw() -> None:
    environment = os.environ | {"COLUMNS": str(WIDTH), "FORCE_COLOR": "1"}
    command = [sys.executable, "-m", "app", "demo"]
    ended = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi("$ make demo\n" + ended.stdout.partition("\nTo go on")[0]), soft_wrap=True)
    drawing = console.export_svg(title="make demo", unique_id="demo")
    # rich names fonts at another host; the page must need none.
    DRAWING.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawing, flags=re.DOTALL))


if __name__ == "__main__":
    draw()
