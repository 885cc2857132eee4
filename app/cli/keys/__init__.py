"""`sluice key …` and `sluice vault …`: API keys, and the keys that encrypt stored credentials."""

from app.cli.keys.api import keys
from app.cli.keys.vault import vault

__all__ = ["keys", "vault"]
