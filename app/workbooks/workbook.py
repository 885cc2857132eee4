"""What a workbook may cost, what is read of it, and why one is refused."""

from dataclasses import dataclass
from typing import Final

from app.errors import Complaint, Refused, join_choices, shorten_name

# Why a workbook is refused, by the code that its process tells -> what is said, and what to do.
WORKBOOK_REFUSALS: Final[dict[str, str]] = {
    "password": "The workbook has a password. Save it without one",
    "damaged": "The file begins like a workbook, but cannot be read as one. Open it in the program that made it, and "
    "save it as .xlsx or CSV",
    "unknown_error": "The workbook has an error of a formula, such as `#SPILL!` or `#CALC!`, that cannot be read. "
    "Correct the formula, or save the workbook as CSV",
    "too_large": "The workbook has more cells, or more text, than an import takes. Delete what is not data, or save it "
    "as several files",
    "too_slow": "The workbook takes too long to read. Save it as CSV",
}


@dataclass(frozen=True, slots=True)
class WorkbookLimits:
    """What one workbook may cost. Reading takes about 60 bytes a cell."""

    cells: int = 10_000_000
    memory_bytes: int = 1_610_612_736  # of addresses of the process
    cpu_seconds: int = 60
    seconds: float = 120.0  # by the clock, on a machine that has other things to do


@dataclass(frozen=True, slots=True)
class ReadSheet:
    """The sheet that was read, and the names of the others. Line 3 of its CSV is row 3 of the sheet, as long as no
    cell above it has a line break."""

    name: str
    others: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    def describe_others(self) -> str:
        """A sentence on what was not read; "" if there is nothing."""
        if not (self.others or self.hidden):
            return ""
        names = [f"`{shorten_name(each)}`" for each in self.others]
        names += [f"`{shorten_name(each)}` (hidden)" for each in self.hidden]
        left = join_choices(names[:MOST_NAMED], word="and")
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        return f"Only the sheet `{shorten_name(self.name)}` was read, not {left}{more}. `sheet` chooses another one"


MOST_NAMED: Final = 10  # sheets in a sentence


def refuse_workbook(code: str) -> Refused:
    detail = WORKBOOK_REFUSALS[code]
    return Refused("unreadable_file", detail, [Complaint("file", detail)])


def refuse_sheet(wanted: str, sheet: ReadSheet) -> Refused:
    """Of a sheet that the workbook does not have."""
    names = [f"`{shorten_name(each)}`" for each in (*sheet.others, *sheet.hidden)][:MOST_NAMED]
    detail = f"The workbook has no sheet `{shorten_name(wanted)}`. It has {join_choices(names, word='and')}"
    return Refused("unreadable_file", detail, [Complaint("sheet", detail)])
