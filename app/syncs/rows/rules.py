"""How the settings of a sync make its rows read: what the parts of a row checker share."""

from dataclasses import dataclass
from typing import Any, Final

from app.formats.records import Dialect
from app.imports.checking.record_keys import IdScope
from app.imports.checking.row_checker import RowChecker
from app.imports.plan import BlankCells, Options, Plan
from app.mappings.columns import Column
from app.resources.schema import Resource

LONGEST_PREFIX: Final = 10  # characters of a key before the code of the item: the id of a price list, and a colon


@dataclass(frozen=True, slots=True)
class RowRules:
    """What the settings of a sync say about rows, and the limits of the service: characters of a key, bytes of a
    record."""

    trim_values: bool = False
    blank_cells: BlankCells = "keep"
    deprecated_free_fields: bool = False
    hide_caption: bool = False
    key_limit: int = 255
    record_limit: int = 1_048_576

    @property
    def conversions(self) -> dict[str, Any]:
        """What is done to every column."""
        return {"trim": True} if self.trim_values else {}

    def build_checker(
        self, resource: Resource, header: tuple[str, ...], columns: tuple[Column, ...], **rest: Any
    ) -> RowChecker:
        """`rest` are the changes of single fields, and the fields that are handed on beside the records."""
        return RowChecker(
            resource,
            Plan(Dialect("csv"), header, columns),
            Options(blank_cells=self.blank_cells),
            id_scope=IdScope(0, seed=""),  # the keys are in the rows
            key_limit=self.key_limit - LONGEST_PREFIX,
            record_limit=self.record_limit,
            **rest,
        )
