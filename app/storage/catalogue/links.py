"""Links of items to filter values, staged as keys of the run: an item gets its list once all files are read.

No record has the type LINKS. The key of a link is the code of its item, a line feed, and the key of the value. A line
feed in a code is written as a backslash and an n, and a backslash twice, so that it can be told where the code ends.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import text

from app.storage.database import ReadSession, Session
from app.storage.merge import MergeTarget

LINKS: Final = "item-links"
MOST_LINKS: Final = 20_000  # that are read at once, beside those of one item
MOST_ITEMS: Final = 5_000

MINE: Final = "account_id = :account_id AND staged_by = :run_id"
# `{code}` as it stands in the key of a link.
ESCAPED: Final = r"replace(replace({code}, E'\\', E'\\\\'), E'\n', E'\\n')"
# The records of a type by their keys. OFFSET 0 makes the planner look up each of them in the index.
RECORD: Final = "SELECT data FROM records WHERE account_id = :account_id AND type = '{type}' AND key = {key} OFFSET 0"

# Whether the item with this key stays, by what rows have named until now.
STAYS: Final = f"""(:all_stay
    OR EXISTS (SELECT FROM staged_keys WHERE {MINE} AND type = 'items' AND key = {{key}} OFFSET 0)
    OR EXISTS (SELECT FROM staged_records WHERE {MINE} AND type = 'items' AND key = {{key}} OFFSET 0))"""
ANY_NAMED: Final = f"""
SELECT EXISTS (SELECT FROM staged_keys WHERE {MINE} AND type = 'items')
    OR EXISTS (SELECT FROM staged_records WHERE {MINE} AND type = 'items')"""

STAGE: Final = f"""
WITH given AS MATERIALIZED (
    SELECT g.key, i.data -> 'classValues' ? g.value AS there
    FROM unnest(CAST(:keys AS text[]), CAST(:codes AS text[]), CAST(:values AS text[])) AS g(key, code, value)
    LEFT JOIN LATERAL ({RECORD.format(type="items", key="g.code")}) i ON true),
added AS (
    INSERT INTO staged_keys (account_id, staged_by, type, key)
    SELECT :account_id, :run_id, '{LINKS}', key FROM given WHERE {{which}} ORDER BY key
    ON CONFLICT DO NOTHING RETURNING key)
SELECT given.key FROM given JOIN added ON added.key = given.key WHERE there IS NOT TRUE"""
# Which links are kept.
EVERY: Final = "true"
NEW: Final = "there IS NOT TRUE"  # those that no record has
HELD: Final = "there"

# Items that are neither in the overlay nor, among those that stay, in the store.
UNKNOWN: Final = f"""
SELECT c.code FROM unnest(CAST(:codes AS text[])) AS c(code)
WHERE NOT EXISTS (SELECT FROM staged_records WHERE {MINE} AND type = 'items' AND key = c.code OFFSET 0)
    AND NOT (EXISTS ({RECORD.format(type="items", key="c.code")}) AND {STAYS.format(key="c.code")})"""
NEXT: Final = f"""
SELECT key FROM staged_keys WHERE {MINE} AND type = '{LINKS}' AND key > :after ORDER BY key LIMIT {MOST_LINKS}"""
REST: Final = f"""
SELECT key FROM staged_keys WHERE {MINE} AND type = '{LINKS}' AND key > :after AND key < :upto ORDER BY key"""

LISTS: Final = f"""
SELECT c.code, CAST(coalesce(o.data, i.data) -> 'classValues' AS text) AS held
FROM unnest(CAST(:codes AS text[])) AS c(code)
LEFT JOIN LATERAL (SELECT data FROM staged_records WHERE {MINE} AND type = 'items' AND key = c.code OFFSET 0) o ON true
LEFT JOIN LATERAL ({RECORD.format(type="items", key="c.code")}) i ON true"""

# Items that stay, have links in the store, and none in the files.
UNLINKED: Final = f"""
SELECT r.key AS code, CAST(r.data -> 'classValues' AS text) AS held FROM records r
WHERE account_id = :account_id AND type = 'items' AND key > :after
    AND coalesce(data -> 'classValues', 'null') NOT IN ('null', '[]')
    AND {STAYS.format(key="r.key")}
    AND NOT EXISTS (SELECT FROM staged_keys k WHERE {MINE} AND type = '{LINKS}'
        AND k.key > {ESCAPED.format(code="r.key")} || E'\\n'
        AND k.key < {ESCAPED.format(code="r.key")} || E'\\x0b' OFFSET 0)
ORDER BY key LIMIT {MOST_ITEMS}"""


def build_link(code: str, value: str) -> str:
    return code.replace("\\", "\\\\").replace("\n", "\\n") + "\n" + value


def split_link(link: str) -> tuple[str, str]:
    """The code of the item and the key of the value."""
    code, _, value = link.partition("\n")
    if "\\" in code:
        code = "\\".join(part.replace("\\n", "\n") for part in code.split("\\\\"))
    return code, value


async def stage_links(
    session: Session, target: MergeTarget, links: Collection[tuple[str, str]], *, which: str
) -> set[tuple[str, str]]:
    """Keeps links (item, value) for the run: EVERY, NEW or HELD. Returns those that are in no record and that the run
    did not have yet."""
    keys = {build_link(*link): link for link in links}
    given = target.parameters() | {
        "keys": list(keys),
        "codes": [code for code, _ in keys.values()],
        "values": [value for _, value in keys.values()],
    }
    return {keys[key] for key in (await session.execute(text(STAGE.format(which=which)), given)).scalars()}


async def is_any_item_named(session: ReadSession, target: MergeTarget) -> bool:
    """Whether any row has named an item. If none has, a full sync leaves all of them."""
    return bool((await session.execute(text(ANY_NAMED), target.parameters())).scalar_one())


async def find_unknown_items(
    session: ReadSession, target: MergeTarget, codes: Sequence[str], *, replaces: bool
) -> set[str]:
    """Those of the codes that no item will have once the run is applied. `replaces`: items that no row names go."""
    all_stay = not replaces or not await is_any_item_named(session, target)
    given = target.parameters() | {"codes": list(codes), "all_stay": all_stay}
    return set((await session.execute(text(UNKNOWN), given)).scalars())


async def load_next_links(session: ReadSession, target: MergeTarget, *, after: str) -> list[str]:
    """The keys of the links that follow, all of each item; none at the end."""
    given = target.parameters() | {"after": after}
    links = list((await session.execute(text(NEXT), given)).scalars())
    if len(links) == MOST_LINKS:
        item = links[-1].partition("\n")[0]
        last = given | {"after": links[-1], "upto": f"{item}\x0b"}
        links += (await session.execute(text(REST), last)).scalars()
    return links


async def load_lists(session: ReadSession, target: MergeTarget, codes: Sequence[str]) -> Mapping[str, list[str]]:
    """The values that items have until now, as the run sees them."""
    given = target.parameters() | {"codes": list(codes)}
    return {row["code"]: read_list(row["held"]) for row in (await session.execute(text(LISTS), given)).mappings()}


async def load_unlinked(
    session: ReadSession, target: MergeTarget, *, after: str, all_stay: bool
) -> Mapping[str, list[str]]:
    """The values of items that a full sync takes all of them from, by code in their order; none at the end. `all_stay`:
    no item is removed."""
    given = target.parameters() | {"after": after, "all_stay": all_stay}
    return {row["code"]: read_list(row["held"]) for row in (await session.execute(text(UNLINKED), given)).mappings()}


def read_list(held: str | None) -> list[str]:
    """The texts of a list that is stored as JSON; anything else has none."""
    values: Any = msgspec.json.decode(held) if held else None
    return [each for each in values if isinstance(each, str)] if isinstance(values, list) else []
