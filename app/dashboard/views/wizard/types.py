"""The templates and types among which somebody chooses, as the second step shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from app.dashboard.words import count_of
from app.drafts.fits import Fits, TypeFit
from app.mappings.templates.fits import TemplateFit
from app.storage.counts.records import RecordCount

SHOWN: Final = 8  # templates that are not folded away
PRECISION: Final = {"exact": "", "estimated": "about ", "at_least": "more than "}


@dataclass(frozen=True, slots=True)
class UseChoice:
    """A template, or a type whose fields would be suggested for columns of the file. `value` is what the form sends."""

    value: str
    title: str
    sentence: str
    sample: str = ""  # the address of a sample CSV


@dataclass(frozen=True, slots=True)
class UseChoices:
    """`best` are the templates that fit, `others` the rest of them. `types` are those that fit at
    least half as well as the best, or all if none fits, and `other_types` the rest."""

    best: Sequence[UseChoice]
    others: Sequence[UseChoice]
    types: Sequence[UseChoice]
    other_types: Sequence[UseChoice]


def show_uses(fits: Fits, chosen: str, *, templates: bool) -> UseChoices:
    """Without `templates` for those who may not see them."""
    shown = [(show_template(each), each.fits) for each in fits.templates] if templates else []
    best = [choice for choice, found in shown if found or choice.value == chosen][:SHOWN]
    others = [choice for choice, _ in shown if choice not in best]
    types = [(show_type(each), each.fits) for each in fits.types]
    most = max((each.fits for each in fits.types), default=0)
    near = [choice for choice, found in types if found * 2 >= most or choice.value == chosen]
    return UseChoices(best, others, near, [choice for choice, _ in types if choice not in near])


def show_template(fit: TemplateFit) -> UseChoice:
    fits = f"fits {fit.fits} of {count_of(fit.columns, 'column')}" if fit.fits else "fits no column of this file"
    return UseChoice(f"template:{fit.id}", fit.name, f"For {fit.type}, {fits}.")


def show_type(fit: TypeFit) -> UseChoice:
    keys = " or ".join(fit.keys)
    parts = [f"Key: {keys}{', or a new record without one' if fit.generates_key else ''}"]
    parts += [f"new records need {', '.join(fit.required)}"] if fit.required else []
    named = f"{count_of(fit.fits, 'column')} of this file {'fits' if fit.fits == 1 else 'fit'} its fields"
    parts += [named] if fit.fits else []
    parts += [tell_records(fit.records)]
    sentence = ". ".join(f"{each[0].upper()}{each[1:]}" for each in parts)
    return UseChoice(f"type:{fit.name}", fit.name, f"{sentence}.", f"/app/samples/{quote(fit.name, safe='')}")


def tell_records(count: RecordCount) -> str:
    return f"{PRECISION[count.precision]}{count_of(count.count, 'record')} stored" if count.count else "no records yet"
