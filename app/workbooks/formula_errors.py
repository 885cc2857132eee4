"""The errors that a formula may have in place of a value."""

import re
from typing import Final

# As files number them (MS-XLS §2.5.10, MS-XLSB §2.5.97.2); those of .xlsx have their names.
ERROR_NAMES: Final = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
OTHER_ERROR: Final = "#VALUE!"  # for one that has no name here: what matters is that it is none of the values
is_formula_error = re.compile("|".join(map(re.escape, ERROR_NAMES.values()))).fullmatch
