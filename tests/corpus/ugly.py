"""Files as people really send them, each with the rows and problems that it must give."""

import codecs
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ugly:
    """A delimited file: its bytes, its good rows, and (line, code) of the others. Together they are all its records."""

    name: str
    data: bytes
    good: list[list[str]]
    bad: list[tuple[int, str]]


AB = [["1", "a"], ["2", "b"]]
WIDE = ",".join(f"c{number}" for number in range(2_000))

UGLY: list[Ugly] = [
    # Encodings
    Ugly("UTF-8 with a mark", codecs.BOM_UTF8 + b"id,name\n1,a\n2,b\n", AB, []),
    Ugly("UTF-16 LE", codecs.BOM_UTF16_LE + "id,näme\n1,ä€😀\n".encode("utf-16-le"), [["1", "ä€😀"]], []),
    Ugly("UTF-16 BE", codecs.BOM_UTF16_BE + "id,näme\n1,ä€😀\n".encode("utf-16-be"), [["1", "ä€😀"]], []),
    Ugly(
        "UTF-16 with half a pair",
        codecs.BOM_UTF16_LE + "id,name\n1,\ud83d\n2,b\n".encode("utf-16-le", "surrogatepass"),
        [["2", "b"]],
        [(2, "invalid_character")],
    ),
    Ugly(
        "UTF-16 cut in the middle of a unit",
        codecs.BOM_UTF16_LE + "id,name\n1,a\n2,b".encode("utf-16-le") + b"x",
        [["1", "a"]],
        [(3, "encoding_error")],
    ),
    Ugly("a Latin-1 letter", b"id,name\n1,a\n2,caf\xe9\n3,c\n", [["1", "a"], ["3", "c"]], [(3, "encoding_error")]),
    Ugly("a surrogate in UTF-8", b"id,name\n1,\xed\xa0\x80\n2,b\n", [["2", "b"]], [(2, "invalid_character")]),
    Ugly("NUL", b"id,name\n1,a\x00b\n2,b\n", [["2", "b"]], [(2, "invalid_character")]),
    # Line ends
    Ugly("CR", b"id,name\r1,a\r2,b\r", AB, []),
    Ugly("CR LF", b"id,name\r\n1,a\r\n2,b\r\n", AB, []),
    Ugly("mixed ends", b"id,name\r1,a\r\n2,b\n3,c", [*AB, ["3", "c"]], []),
    Ugly("no end at the end", b"id,name\n1,a\n2,b", AB, []),
    Ugly("ends inside quotes", b'id,name\n1,"a\r\nb\rc\nd"\n2,b\n', [["1", "a\r\nb\rc\nd"], ["2", "b"]], []),
    # Blank lines, headers
    Ugly("blank lines", b"\n\r\nid,name\n\n1,a\r\n\r\n\n2,b\n\n\n", AB, []),
    Ugly("header only", b"id,name\n", [], []),
    Ugly("header only, no end", b"id,name", [], []),
    Ugly("header and blank lines", b"id,name\n\n\n", [], []),
    Ugly("only delimiters", b"id,name\n,\n1,a\n", [["1", "a"]], []),
    Ugly("empty quotes are values", b'id,name\n"",""\n1,a\n', [["", ""], ["1", "a"]], []),
    Ugly("delimiters and blanks", b'id,name\n , \n\t\n1,"a"\n  ,,,\n,"b"\n,', [["1", "a"], ["", "b"]], []),
    Ugly("an empty cell in one column", b'id\n""\n\n1\n', [[""], ["1"]], []),
    Ugly("headings with blanks", b" id , name\n1,a\n", [["1", "a"]], []),
    Ugly("cells are not trimmed", b"id,name\n 1 , a \n", [[" 1 ", " a "]], []),
    Ugly("a column without heading or data", b"id,name,\n1,a,\n2,b, \n", [["1", "a", ""], ["2", "b", " "]], []),
    # Ragged rows
    Ugly("ragged first", b"id,name\n1\n2,b\n", [["2", "b"]], [(2, "missing_cell")]),
    Ugly("ragged in the middle", b"id,name\n1,a\n2,b,x\n3,c\n", [["1", "a"], ["3", "c"]], [(3, "extra_cell")]),
    Ugly("ragged last", b"id,name\n1,a\n2", [["1", "a"]], [(3, "missing_cell")]),
    Ugly("blanks only are no row", b"id,name\n  \n1,a\n", [["1", "a"]], []),
    # Quotes in order
    Ugly("doubled quotes", b'id,name\n1,"say ""hi"""\n2,""""\n', [["1", 'say "hi"'], ["2", '"']], []),
    Ugly("a quote in an unquoted cell", b'id,name\n1,5" disk\n', [["1", '5" disk']], []),
    Ugly("delimiters inside quotes", b'id,name\n"1","a,b"\n', [["1", "a,b"]], []),
    # A quote that is never closed costs its own row
    Ugly("unclosed at the start", b'id,name\n"1,a\n2,b\n3,c\n', [["2", "b"], ["3", "c"]], [(2, "quote_error")]),
    Ugly("unclosed in the middle", b'id,name\n1,a\n2,"b\n3,c\n', [["1", "a"], ["3", "c"]], [(3, "quote_error")]),
    Ugly("unclosed at the end", b'id,name\n1,a\n2,"b', [["1", "a"]], [(3, "quote_error")]),
    Ugly(
        "unclosed, then quoted rows",
        b'id,name\n1,"a\n2,b\n3,"c"\n4,d\n',
        [["2", "b"], ["3", "c"], ["4", "d"]],
        [(2, "quote_error")],
    ),
    Ugly(
        "unclosed in a file that is all quotes",
        b'id,name\n"1","a\n"2","b"\n"3","c"\n',
        [["2", "b"], ["3", "c"]],
        [(2, "quote_error")],
    ),
    Ugly("unclosed in a first cell", b'id,name\n"1,"a"\n"2","b"\n', [["2", "b"]], [(2, "quote_error")]),
    Ugly("unclosed twice", b'id,name\n1,"a\n2,"b\n3,c\n', [["3", "c"]], [(2, "quote_error"), (3, "quote_error")]),
    Ugly(
        "unclosed, then a short row and a quoted one",
        b'id,name\n1,"a\n2\n\n3,c\n4,"d"\n5\n',
        [["3", "c"], ["4", "d"]],
        [(2, "quote_error"), (3, "after_quote_error"), (7, "missing_cell")],
    ),
    Ugly(
        "unclosed, then empty quotes",
        b'id,name\n1,"a\n2,""\n3,c\n',
        [["2", ""], ["3", "c"]],
        [(2, "quote_error")],
    ),
    Ugly(
        "unclosed, then a quote in an unquoted cell",
        b'id,name\n1,"a\n2,b""c\n3,"d"\n',
        [["3", "d"]],
        [(2, "quote_error"), (3, "after_quote_error")],
    ),
    Ugly(
        "unclosed after a good cell of two lines",
        b'id,name,more\n"1\nx,y,z\n1",a,"b\n2,b,c\n',
        [["2", "b", "c"]],
        [(2, "quote_error"), (3, "after_quote_error"), (4, "after_quote_error")],
    ),
    # A quote that is closed too early
    Ugly("closed too early", b'id,name\n1,"a"b\n2,b\n', [["2", "b"]], [(2, "quote_error")]),
    Ugly("blank behind the quote", b'id,name\n1,"a" \n2,b\n', [["2", "b"]], [(2, "quote_error")]),
    Ugly("quotes not doubled", b'id,name\n1,"say "hi" now"\n2,"b"\n', [["2", "b"]], [(2, "quote_error")]),
    Ugly(
        "quotes not doubled in a cell of several lines",
        b'id,name\n1,"one\nx,y\nsay "hi" now\nz,z\nend"\n2,b\n',
        [["2", "b"]],
        [(2, "quote_error"), *((line, "after_quote_error") for line in (3, 4, 5, 6))],
    ),
    Ugly(
        "a wrong quote on the first line of a cell of several lines",
        b'id,name\n1,"say "hi" now\nx,y\nend",z\n2,b\n',
        [["2", "b"]],
        [(2, "quote_error"), (3, "after_quote_error"), (4, "after_quote_error")],
    ),
    Ugly(
        "a broken cell, then another of two lines",
        b'id,name,more\n1,"say "hi"","x\ny",z,z"\n2,b,c\n',
        [["2", "b", "c"]],
        [(2, "quote_error"), (3, "after_quote_error")],
    ),
    Ugly(
        "closed too early, rows without quotes",
        b'id,name\n1,"a"b\n2,b\n3,"c"\n',
        [["2", "b"], ["3", "c"]],
        [(2, "quote_error")],
    ),
    Ugly(
        "unclosed, then lines of delimiters",
        b'id,name\n1,"a\n,\n2,b\n , \n3,"c"\n',
        [["2", "b"], ["3", "c"]],
        [(2, "quote_error")],
    ),
    # Blanks before quotes, and quotes in unquoted cells
    Ugly("a blank before a quote", b'id,name\n1, "a, b"\n2,  "say ""hi"""\n', [["1", "a, b"], ["2", 'say "hi"']], []),
    Ugly("a blank before the first quote of a line", b'id,name\n "1","a"\n "2",b', AB, []),
    Ugly("blanks before and behind quotes", b'id,name\n1, "a" \n2,b\n', [["2", "b"]], [(2, "quote_error")]),
    Ugly("a blank before a quote that is left open", b'id,name\n1, "a\n2,b\n', [["2", "b"]], [(2, "quote_error")]),
    Ugly("a blank before a quoted word", b'id,name\n1, "a" b\n2, a "b"\n', [["1", ' "a" b'], ["2", ' a "b"']], []),
    Ugly(
        "a blank and a quote inside quotes",
        b'id,name\n1,"a, ""b"" c"\n2," ""b"""\n',
        [["1", 'a, "b" c'], ["2", ' "b"']],
        [],
    ),
    Ugly(
        "a lost delimiter before quotes",
        b'id,name,x\n1,a "Long, Jr.",b\n2,b,c\n',
        [["2", "b", "c"]],
        [(2, "quote_error")],
    ),
    Ugly("a lost delimiter between quotes", b'id,name\n"1" "Long, Jr."\n2,b\n', [["2", "b"]], [(2, "quote_error")]),
    Ugly("two sizes in inches", b'id,name\n5",6"\n"5""","6"""\n', [['5"', '6"']], [(2, "quote_error")]),
    Ugly("several quotes in one unquoted cell", b'id,name\n1,5" x 6"\n2,"b"\n', [["1", '5" x 6"'], ["2", "b"]], []),
    Ugly("formulas for text", b'id,name\n="1",="a"\n="2",x\n', [['="1"', '="a"'], ['="2"', "x"]], []),
    Ugly(
        "a formula for text with a delimiter", b'id,name,x\n="1,1",a\n2,b,c\n', [["2", "b", "c"]], [(2, "quote_error")]
    ),
    # Delimiters at the end of rows
    Ugly("all rows end with a delimiter", b"id,name\n1,a,\n2,b, \n", [["1", "a", ""], ["2", "b", " "]], []),
    Ugly("the only row ends with a delimiter", b"id,name\n1,a,\n", [], [(2, "extra_cell")]),
    Ugly(
        "most rows end with a delimiter",
        b"id,name\n1,a,\n2,b,\n3,c\n",
        [["3", "c"]],
        [(2, "extra_cell"), (3, "extra_cell")],
    ),
    # Sizes
    Ugly("a cell of 131,072 characters", b"id,name\n1," + b"x" * 131_072 + b"\n", [["1", "x" * 131_072]], []),
    Ugly("a cell one longer", b"id,name\n1," + b"x" * 131_073 + b"\n2,b\n", [["2", "b"]], [(2, "cell_too_long")]),
    Ugly(
        "a long cell of many lines",
        b'id,name\n1,"' + b"2,y\n" * 50_000 + b'"\n2,b\n',
        [["2", "b"]],
        [(2, "cell_too_long")],
    ),
    Ugly("a line too long", b"id,name\n1,a\n" + b"x" * 1_048_577 + b"\n2,b\n", AB, [(3, "record_too_long")]),
    Ugly("a line too long at the end", b"id,name\n1,a\n2,b\n" + b"," * 1_048_577, AB, [(4, "record_too_long")]),
    Ugly("100,000 cells", b"id,name\n" + b"," * 99_999 + b"\n1,a\n2,b\n", AB, [(2, "extra_cell")]),
    Ugly("16,384 empty cells are no row", b"id,name\n" + b"," * 16_383 + b"\n1,a\n2,b\n", AB, []),
    Ugly("2,000 columns", f"{WIDE}\n{WIDE}\n".encode(), [WIDE.split(",")], []),
]
