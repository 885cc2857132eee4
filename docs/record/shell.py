"""A bash that runs a page's commands one block after another and hands back what each printed."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

END = "\x1e"  # before the exit code at the end of a block, and before the status at the end of an answer

# `curl` says the status of its answer as well; `field` reads the last answer; `settle` waits until all imports have ended.
PRELUDE = r"""
curl() { command curl -sS -w $'\036%{http_code}\036' "$@"; }
field() { python3 -c '
import json, sys
value = json.load(open(sys.argv[1]))
for step in sys.argv[2].split("."):
    value = value[int(step) if isinstance(value, list) else step]
print(value)' "$ANSWER" "$1"; }
settle() {
  for state in queued inProgress; do
    while command curl -sS -H "Authorization: apiKey $SLUICE_KEY" "$SLUICE_URL/imports?status=$state" | grep -q '"status"'
    do sleep 0.1; done
  done
}
"""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a block printed: its text, the HTTP status of its last answer, its exit code."""

    text: str
    status: int | None
    exit_code: int


class Shell:
    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.answer = folder / ".answer.json"
        self.process = subprocess.Popen(
            [
                "bash",
                "-c",
                f"{PRELUDE}\nwhile IFS= read -r -d '' block; do eval \"$block\"; printf '\\036%s\\0' $?; done",
            ],
            cwd=folder,
            env=environment | {"ANSWER": str(self.answer)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, block: str) -> Printed:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(block + "\0")
        self.process.stdin.flush()
        printed = ""
        while not printed.endswith("\0"):
            character = self.process.stdout.read(1)
            if not character:
                raise RuntimeError(f"bash ended in: {block}")
            printed += character
        *pieces, exit_code = printed.rstrip("\0").split(END)
        # Text and statuses take turns, since curl says one behind each answer.
        statuses = [piece for piece in pieces[1::2] if piece.isdigit()]
        text = "\n".join(piece.strip("\n") for piece in pieces[0::2] if piece.strip())
        self.answer.write_text(pieces[-3] if len(pieces) >= 3 else text)
        return Printed(text, int(statuses[-1]) if statuses else None, int(exit_code))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(10)
