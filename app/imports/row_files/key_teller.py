"""Tells again which record each row of an import is about, without checking the rest of the row."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from app.declarations.types import build_resource
from app.formats.records import Batch
from app.imports.checking.record_keys import IdScope
from app.imports.checking.row_checker import RowChecker
from app.imports.plan import load_options, load_plan
from app.resources.schema import Resource
from app.runs.model import Run
from app.runtime import Runtime


class KeyTeller:
    """Compiled once for a file."""

    def __init__(self, runtime: Runtime, run: Run) -> None:
        """Blocking: a type may be large."""
        plan, options = load_plan(run), load_options(run)
        resource = build_resource(run.type, plan.declaration)
        wanted = name_key_fields(resource)
        if not options.anonymous:  # there a row makes a record if anything in it is filled
            plan = replace(plan, columns=tuple(column for column in plan.columns if column.field in wanted))
        self._limit = runtime.settings.max_key_characters
        self._checker = RowChecker(
            resource,
            plan,
            options,
            id_scope=IdScope(run.account_id, seed=run.id),
            key_limit=self._limit,
            record_limit=runtime.limits.record_bytes,
        )

    def tell(self, batch: Batch, failed: Collection[int]) -> Mapping[int, str]:
        """The key of each row by the row's number, as far as there is one that is not too long. A `failed` row has none
        that would have been made for it. Blocking."""
        if not batch.records:
            return {}
        rows, found = self._checker.find_keys(batch)
        keys = dict(zip(rows, found.keys, strict=True))
        if max(map(len, found.caller_keys)) > self._limit:
            keys |= {row: "" for row, named in zip(rows, found.caller_keys, strict=True) if len(named) > self._limit}
        given = {rows[index] for index in found.must_exist}
        if failed:
            made = {row for row, named in zip(rows, found.caller_keys, strict=True) if not named and row not in given}
            keys |= dict.fromkeys(made.intersection(failed), "")
        return keys


def name_key_fields(resource: Resource) -> frozenset[str]:
    surrogate = resource.surrogate
    return frozenset({*resource.keys, *((surrogate.id, surrogate.source) if surrogate else ())})
