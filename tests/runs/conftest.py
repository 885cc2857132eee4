"""Runs are tested on imports, as the engine's tests make them."""

from tests.engine.conftest import engine

__all__ = ["engine"]
