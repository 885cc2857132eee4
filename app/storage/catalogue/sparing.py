"""What a full sync leaves in place although no good row names it: what belongs to the items of its bad rows."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from app.storage.catalogue.links import ESCAPED, LINKS, RECORD
from app.storage.database import Session
from app.storage.merge import MergeTarget

SPARE: Final = """
INSERT INTO staged_keys (account_id, staged_by, type, key)
SELECT DISTINCT :account_id, :run_id, named.type, named.key
FROM unnest(CAST(:codes AS text[])) AS c(code) {of_items}
WHERE named.key IS NOT NULL ORDER BY 3, 4
ON CONFLICT DO NOTHING"""

# The item itself, and its prices with their lists.
PRICES: Final = f"""
CROSS JOIN LATERAL (
    SELECT 'items' AS type, c.code AS key
    UNION ALL
    SELECT found.type, found.key
    FROM (SELECT key FROM records WHERE account_id = :account_id AND type = 'price-lists') l
    CROSS JOIN LATERAL ({RECORD.format(type="item-prices", key="l.key || ':' || c.code")}) p
    CROSS JOIN LATERAL (VALUES ('item-prices', l.key || ':' || c.code), ('price-lists', l.key)) AS found(type, key)
) named"""

# Its links, with their values and the classes of these.
FILTERS: Final = f"""
CROSS JOIN LATERAL ({RECORD.format(type="items", key="c.code")}) i
CROSS JOIN LATERAL jsonb_array_elements_text(
    CASE jsonb_typeof(i.data -> 'classValues') WHEN 'array' THEN i.data -> 'classValues' ELSE '[]' END) AS v(value)
LEFT JOIN LATERAL ({RECORD.format(type="item-class-values", key="v.value")}) w ON true
CROSS JOIN LATERAL (VALUES ('{LINKS}', {ESCAPED.format(code="c.code")} || E'\\n' || v.value),
    ('item-class-values', v.value), ('item-classes', w.data ->> 'itemClass')) AS named(type, key)"""


async def spare_items(session: Session, target: MergeTarget, codes: Sequence[str]) -> None:
    """Names all that belongs to the items with these codes, so that it stays."""
    for of_items in (PRICES, FILTERS):
        given = target.parameters() | {"codes": list(codes)}
        await session.execute(text(SPARE.format(of_items=of_items)), given)
