"""The types of this folder's fixtures."""

from collections.abc import Callable
from typing import Any

Query = Callable[[str, str], Any]
Ask = Callable[..., Any]
Eventually = Callable[..., None]
Alive = Callable[[int], bool]
