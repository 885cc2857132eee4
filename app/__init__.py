"""Sluice: a bulk-import service whose counts are true at every moment and after every crash."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Stands for a module until one of its names is asked for. (The standard library's LazyLoader loads on `import`
    already: the statement looks at the module's `__spec__`.)"""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def _load_without(other: str, name: str) -> None:
    """Loads a module as if another were not installed, which is what None among the loaded ones says."""
    loaded = sys.modules.get(other)
    sys.modules[other] = None  # type: ignore[assignment]
    import_module(name)
    del sys.modules[other]
    if loaded:
        sys.modules[other] = loaded


# structlog imports it for a way to print tracebacks that is not used here: 4 MB a process.
_load_without("rich", "structlog")
# redis-py imports it for a way to log in that is not used here, and with it all of `cryptography`: 10 MB a process.
sys.modules.setdefault("jwt", _Later("jwt"))
