"""Sluice: a bulk-import service whose counts are true at every moment and after every crash."""

import gc
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any


class _LazyModule(ModuleType):
    """A placeholder that loads a module when one of its names is used. (The standard library's LazyLoader loads it on
    `import` already, because the statement looks at the module's `__spec__`.)"""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def _load_without(other: str, name: str) -> None:
    """Loads a module as if another were not installed: that is what None in `sys.modules` means."""
    loaded = sys.modules.get(other)
    sys.modules[other] = None  # type: ignore[assignment]
    import_module(name)
    del sys.modules[other]
    if loaded:
        sys.modules[other] = loaded


def _skip_package(name: str, **homes: str) -> None:
    """Lets the modules of a package be imported without what the package itself imports. Its own names are missing,
    except those whose module `homes` tells."""

    def find(own: str) -> Any:
        if own not in homes:
            raise AttributeError(own)
        return getattr(import_module(homes[own]), own)

    outermost, *inner = name.split(".")
    spec = find_spec(outermost)
    if spec and spec.submodule_search_locations and name not in sys.modules:
        package = sys.modules[name] = ModuleType(name)
        package.__path__ = [str(Path(spec.submodule_search_locations[0], *inner))]
        package.__getattr__ = find  # type: ignore[method-assign]


# While modules are imported next to nothing becomes garbage, and looking for it takes a tenth of a start. Who begins to
# work enables it: `run_process`, and the command line.
gc.disable()

# structlog imports rich to print tracebacks, which is not used here: 4 MB per process.
_load_without("rich", "structlog")
# redis-py imports jwt, and with it all of `cryptography`, for a login that is not used here: 10 MB per process.
sys.modules.setdefault("jwt", _LazyModule("jwt"))
# Pages are made with Jinja, and an API process may have none to make: 4 MB. Only workers send mails: 1 MB.
sys.modules.setdefault("jinja2", _LazyModule("jinja2"))
sys.modules.setdefault("aiosmtplib", _LazyModule("aiosmtplib"))
# FastAPI asks of every model whether it is one of Pydantic's old ones, of which there are none here: 1.5 MB.
sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]
# SQLAlchemy's connections for asyncio come with all of its ORM, which is not used here: 8 MB per process.
_skip_package("sqlalchemy.ext.asyncio")
# uvicorn comes with its command line, and with what starts it again when code changes: 1.5 MB.
_skip_package("uvicorn", Config="uvicorn.config", Server="uvicorn.server")
