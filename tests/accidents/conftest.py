"""The engine of the tests beside it, for accidents that happen to it."""

from tests.engine.conftest import engine

__all__ = ["engine"]
