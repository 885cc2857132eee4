"""`sluice key …` and `sluice vault …`: keys of the API, and the keys that seal what others have entrusted."""

from app.cli.keys.api import keys
from app.cli.keys.vault import vault

__all__ = ["keys", "vault"]
