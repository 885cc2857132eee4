"""Rewrites the example files, always with the same bytes: `python examples/make_contacts.py`."""

import csv
import io
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).parent
ROWS = 1000

COLUMNS = ("_email", "_name", "_surname", "_mobilePhone", "_birthdate", "_newsletterSubscriptionStatus", "_points")
STATUSES = ("subscribed", "subscribed", "subscribed", "unsubscribed", "none")
DOMAINS = ("example.com", "example.org", "example.net")

# Invented people: country prefix, given names, family names. Some contain commas and line breaks on purpose.
PEOPLE = (
    ("+34", ("Marta", "Íñigo", "Lucía", "Álvaro", "Nuria"), ("Peña", "García Ibáñez", "de la\nFuente", "Muñoz")),
    ("+49", ("Jörg", "Anneliese", "Käthe", "Uwe"), ("Müller, geb. Groß", "Weiß", "Schäfer", "von der Höhe")),
    ("+48", ("Łucja", "Wojciech", "Zofia", "Bożena"), ("Wiśniewska", "Żak", "Dąbrowski", "Śliwa")),
    ("+30", ("Ελένη", "Γιώργος", "Θάλεια"), ("Παπαδάκη", "Ιωάννου", "Ξενάκης")),
    ("+380", ("Оксана", "Тарас", "Їванна"), ("Коваль", "Гриценко", "Єфименко")),
    ("+81", ("陽菜", "蓮", "さくら"), ("佐藤", "高橋", "渡辺")),
    ("+82", ("서연", "민준", "지우"), ("김", "박", "이")),
    ("+20", ("ليلى", "عمر", "نور"), ("حسن", "الشريف", "منصور")),
    ("+91", ("अनन्या", "रोहन", "प्रिया"), ("शर्मा", "पटेल", "गुप्ता")),
    ("+1", ('Maya "Mae"', "Theo", "Quinn", "Imani"), ("O'Hara", "Ellis, Jr.", "Smith-Okafor", "Nguyễn")),
    ("+353", ("Siobhán", "Oisín", "Zoë 🌊"), ("Ní Dhomhnaill", "Mac Cárthaigh", "Byrne")),
)

# Twelve rows that cannot be imported, each for a different reason: row number -> its bytes.
BAD = {
    57: b"marta.example.com,Marta,Soler,+34600000057,1990-05-17,subscribed,120",  # not an address
    131: b",Uwe,Brandt,+49170000131,1984-11-02,none,10",  # the key is missing
    208: "lucía@example.com,Lucía,Rey,+34600000208,1987-02-30,subscribed,45".encode(),  # no such day
    284: b"taras@example.org,Taras,Koval,+380 67 000 02 84,1979-01-21,subscribed,300",  # spaces in the number
    352: b"zofia@example.net,Zofia,Lis,+48600000352,1995-09-09,none,many",  # not a number
    419: b"theo@example.com,Theo,Ellis,+12025550119,1968-12-24,subscribed,-50",  # below the minimum
    493: b"quinn@example.org,Quinn,Byrne,+353850000493,2001-03-03,yes,5",  # not one of the options
    566: b"imani@example.net,Imani,Smith,+12025550166",  # too few cells
    641: b"bozena@example.com,Bozena,Zak, jr.,+48600000641,1991-06-30,none,77",  # too many: the comma is not quoted
    718: b'maya@example.org,"Maya"Mae,O\'Hara,+12025550178,1988-08-08,subscribed,64',  # a stray quote
    803: "jörg@example.net,Jörg,Weiß,+49170000803,1972-10-15,none,12".encode("latin-1"),  # not UTF-8
    911: b"oisin@example.com,Ois\x00in,Byrne,+353850000911,1999-07-01,subscribed,31",  # a NUL
}


def main() -> None:
    (HERE / "contacts.csv").write_bytes(contacts())
    (HERE / "products.csv").write_bytes(products())
    (HERE / "coupons.csv").write_bytes(coupons())


def contacts() -> bytes:
    chance = random.Random(20_240_501)
    lines = [line(COLUMNS)]
    lines += (BAD.get(number) or line(person(chance, number)) for number in range(1, ROWS + 1))
    return b"\n".join(lines) + b"\n"


def person(chance: random.Random, number: int) -> Iterator[str]:
    prefix, given, family = chance.choice(PEOPLE)
    yield f"contact{number:04}@{chance.choice(DOMAINS)}"
    yield chance.choice(given)
    yield chance.choice(family)
    yield f"{prefix}{chance.randrange(600_000_000, 700_000_000)}" if chance.random() < 0.8 else ""
    yield str(date(1945, 1, 1) + timedelta(days=chance.randrange(22_000))) if chance.random() < 0.9 else ""
    yield chance.choice(STATUSES)
    yield str(chance.randrange(0, 2_500))


def products() -> bytes:
    header = ("productId", "name", "productDetailUrl", "unitPrice", "categories", "tags", "brand", "availability")
    kinds = (("Keyboard", "/Computers/Keyboards"), ("Lamp", "/Home/Lighting"), ("Kettle", "/Home/Kitchen"))
    makers = ("Nordlys", "Cobre & Sal", "Aalto-like")
    lines = [line(header)]
    for number in range(30):
        kind, category = kinds[number % len(kinds)]
        maker = makers[number // 10]
        name, address = f"{kind}, {maker} no. {number + 1}", f"https://shop.example.com/p/{number + 1}"
        price, groups = f"{12 + number * 3}.{number % 10}9", f"{category}|/Makers/{maker.split()[0]}"
        lines.append(line((f"P-{number + 1:03}", name, address, price, groups, "new|gift", maker, "instock")))
    return b"\n".join(lines) + b"\n"


def coupons() -> bytes:
    chance = random.Random(7)
    codes = ("".join(chance.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=8)) for _ in range(20))
    return b"\n".join([b"code", *(f"SPRING-{code}".encode() for code in codes)]) + b"\n"


def line(cells: Iterator[str] | tuple[str, ...]) -> bytes:
    text = io.StringIO()
    # The writer quotes a line break in a cell only when it writes line ends itself.
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().removesuffix("\n").encode()


if __name__ == "__main__":
    main()
