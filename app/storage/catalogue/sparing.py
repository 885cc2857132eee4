"""What a full sync leaves in place although no good row names it: what belongs to the items of its bad rows."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from app.storage.applying.removal import list_ranges, name_keys
from app.storage.catalogue.links import ESCAPED, LINKS, MINE, RECORD
from app.storage.database import Session
from app.storage.merge import MergeTarget

SPARED: Final = "spared-items"  # no record has this type: staged keys that are codes of items

# The links of items, with their values and the classes of these.
FILTERS: Final = f"""
INSERT INTO staged_keys (account_id, staged_by, type, key)
SELECT DISTINCT :account_id, :run_id, named.type, named.key
FROM unnest(CAST(:codes AS text[])) AS c(code)
CROSS JOIN LATERAL ({RECORD.format(type="items", key="c.code")}) i
CROSS JOIN LATERAL jsonb_array_elements_text(
    CASE jsonb_typeof(i.data -> 'classValues') WHEN 'array' THEN i.data -> 'classValues' ELSE '[]' END) AS v(value)
LEFT JOIN LATERAL ({RECORD.format(type="item-class-values", key="v.value")}) w ON true
CROSS JOIN LATERAL (VALUES ('{LINKS}', {ESCAPED.format(code="c.code")} || E'\\n' || v.value),
    ('item-class-values', v.value), ('item-classes', w.data ->> 'itemClass')) AS named(type, key)
WHERE named.key IS NOT NULL ORDER BY 3, 4
ON CONFLICT DO NOTHING"""

ANY: Final = f"SELECT EXISTS (SELECT FROM staged_keys WHERE {MINE} AND type = '{SPARED}')"

# The prices of items, with their lists. Each price is looked at once: an account may have any number of lists.
PRICES: Final = f"""
INSERT INTO staged_keys (account_id, staged_by, type, key)
SELECT DISTINCT :account_id, :run_id, named.type, named.key
FROM records p
CROSS JOIN LATERAL (
    SELECT true AS there FROM staged_keys
    WHERE {MINE} AND type = '{SPARED}' AND key = p.data ->> 'itemCode' OFFSET 0) s
CROSS JOIN LATERAL (VALUES ('item-prices', p.key), ('price-lists', p.data ->> 'priceListId')) AS named(type, key)
WHERE p.account_id = :account_id AND p.type = 'item-prices'
    AND p.key > :after AND (CAST(:upto AS text) IS NULL OR p.key <= :upto) AND named.key IS NOT NULL
ORDER BY 3, 4
ON CONFLICT DO NOTHING"""


async def spare_items(session: Session, items: MergeTarget, spared: MergeTarget, codes: Sequence[str]) -> None:
    """Names the items with these codes and their links, so that they stay. `spared` is for the type SPARED."""
    await name_keys(session, items, codes)
    await name_keys(session, spared, codes)
    await session.execute(text(FILTERS), items.parameters() | {"codes": list(codes)})


async def spare_prices(session: Session, prices: MergeTarget) -> None:
    """Names the prices of all items that are spared, and their lists. Call it when all rows are staged."""
    if (await session.execute(text(ANY), prices.parameters())).scalar_one():
        async for given in list_ranges(session, prices):
            await session.execute(text(PRICES), given)
