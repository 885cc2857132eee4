"""How a page says things: codes as sentences, and numbers, sizes, times and values of cells as people read them."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from markupsafe import Markup, escape

from app.web.failures import TITLES

EXACT_UNTIL: Final = 10_000_000
LONGEST_CHIP: Final = 80  # characters
KILOBYTE: Final = 1_024
UNITS: Final = {1: "kB", 2: "MB", 3: "GB"}
MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400
# What nobody sees, or turns the text after it around: marks and overrides of direction, C1, zero width.
UNSEEN: Final = (
    *(0x61C, 0x200B, 0x200E, 0x200F, 0xFEFF),
    *(*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
)
# How characters without a shape of their own are shown in the value of a cell.
SHOWN: Final = {
    **{code: chr(0x2400 + code) for code in range(32)},
    **{code: f"⟨{code:04X}⟩" for code in UNSEEN},
    0x20: "\u2423",
    0x7F: "\u2421",
    0xA0: "\u237d",
}

CODE: Final = Markup("<code>{}</code>")

# What a page says of a failed request: the title of the page. The API's own titles speak of keys.
FAILURE_TITLES: Final[Mapping[str, str]] = {
    **TITLES,
    "not_authenticated": "You are not signed in",
    "not_allowed": "You may not do that",
    "not_found": "There is no such page",
    "gone": "It was deleted at the end of its time",
    "too_large": "The file is too large",
    "too_many_requests": "Too many requests",
    "internal_error": "Something went wrong here",
    "not_ready": "The service is not available right now",
}


def title_of_failure(code: str) -> str:
    """The headline of a failure page. Raises KeyError for a code that does not exist."""
    return FAILURE_TITLES[code]


def write_number(number: int) -> str:
    """With separators, exact until ten million: "600,000", "12.4 million"."""
    return f"{number:,}" if abs(number) < EXACT_UNTIL else f"{number / 1_000_000:,.1f} million"


def count_of(number: int, one: str, many: str = "") -> str:
    """A number with what it counts: "1 row", "600,000 rows"."""
    return f"{write_number(number)} {one if number == 1 else many or one + 's'}"


def write_bytes(size: int | None) -> str:
    """A size in the units of the limits that operators set, 1 MB = 1,048,576 bytes: "48.2 MB", "50 MB"."""
    if size is None:
        return "unknown size"
    if size < KILOBYTE:
        return count_of(size, "byte")
    exponent = next(each for each in (3, 2, 1) if size >= KILOBYTE**each or each == 1)
    return f"{size / KILOBYTE**exponent:,.1f}".removesuffix(".0") + f" {UNITS[exponent]}"


def write_percent(percent: float) -> str:
    """Rounded down: "100 %" means all."""
    return f"{int(percent)} %"


def write_duration(seconds: float) -> str:
    """In the largest unit that fits: "about 40 seconds", "3 minutes", "2 hours", "5 days"."""
    if seconds < MINUTE:
        return count_of(max(1, round(seconds)), "second")
    if seconds < HOUR:
        return count_of(round(seconds / MINUTE), "minute")
    if seconds < 2 * DAY:
        return count_of(round(seconds / HOUR), "hour")
    return count_of(round(seconds / DAY), "day")


def write_moment(moment: datetime | date | None) -> Markup:
    """A moment in UTC, which is named; `static/times.js` turns it into the reader's zone. A day is the same in all."""
    if moment is None:
        return Markup("never")
    if not isinstance(moment, datetime):
        return Markup("{} {:%B} {}").format(moment.day, moment, moment.year)
    utc = moment.astimezone(UTC)
    day = "" if utc.date() == datetime.now(UTC).date() else f"{utc.day} {utc:%B}{year_of(utc)}, "
    stamp = utc.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}">{}{:%H:%M} UTC</time>').format(stamp, day, utc)


def year_of(moment: datetime) -> str:
    return "" if moment.year == datetime.now(UTC).year else f" {moment.year}"


def show_value(value: Any) -> str:
    """The value of a cell as text in which blanks at the ends and control characters can be seen; none is "blank"."""
    text = "" if value is None else str(value)
    if not text:
        return ""
    inner = text.strip(" \u00a0")
    start = len(text) - len(text.lstrip(" \u00a0"))
    visible = text[:start].translate(SHOWN) + inner.translate({k: v for k, v in SHOWN.items() if k not in (0x20, 0xA0)})
    return visible + text[start + len(inner) :].translate(SHOWN)


def join_words(words: list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *others, last = words or [""]
    return f"{', '.join(others)} and {last}" if others else last


def mark_code(text: str) -> Markup:
    """A sentence whose names stand in backticks, with each of them as code. What it says is escaped."""
    *pairs, last = text.split("`")
    if len(pairs) % 2:  # a backtick of its own
        return escape(text)
    marked = (escape(part) if place % 2 == 0 else CODE.format(part) for place, part in enumerate(pairs))
    return Markup("").join([*marked, escape(last)])


def close_sentence(text: str) -> str:
    """With a full stop: messages of the engine have none."""
    return text if text.endswith((".", "?")) else f"{text}."


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "number": write_number,
    "count": count_of,
    "bytes": write_bytes,
    "percent": write_percent,
    "duration": write_duration,
    "when": write_moment,
    "value": show_value,
    "and_list": join_words,
    "marked": mark_code,
    "closed": close_sentence,
}
