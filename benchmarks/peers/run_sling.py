"""The peer sling: starts the program that its package holds, with the arguments given."""

import os
import sys
from pathlib import Path

from sling_linux_amd64 import SLING_BIN


def main() -> None:
    Path(SLING_BIN).chmod(0o755)
    os.execv(SLING_BIN, ["sling", *sys.argv[1:]])


if __name__ == "__main__":
    main()
