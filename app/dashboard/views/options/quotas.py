"""What an account may have, and what it has, as a page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.quotas.quota import QUOTAS


@dataclass(frozen=True, slots=True)
class ShownQuota:
    """`used` is empty for what is not counted."""

    words: str
    limit: str
    used: str


def list_quotas(limits: Mapping[str, int | None], used: Mapping[str, int]) -> list[ShownQuota]:
    """By the names of QUOTAS; a limit of None is none."""
    return [
        ShownQuota(quota.words, tell(limits[name], quota.unit), tell(used[name], quota.unit) if name in used else "")
        for name, quota in QUOTAS.items()
    ]


def tell(number: int | None, unit: str) -> str:
    return "No limit" if number is None else f"{number:,} {unit.removesuffix('s') if number == 1 else unit}"
