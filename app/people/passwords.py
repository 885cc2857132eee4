"""Passwords: which may be chosen, how they are stored, and how they are verified."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from typing import Final

from app.errors import Complaint, Refused

# `cryptography` takes 9 MB, and a process to which nobody sends a password does without it.

SHORTEST, LONGEST = 12, 1_000  # characters
# OWASP's first choice for Argon2id with little memory: 32 ms on one core.
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
AT_ONCE: Final = 2  # threads that compute, with MEMORY_KIB each
# Of the lists of leaked passwords those that are so long and neither a sequence nor a repetition.
LEAKED: Final = """
    administrator administrator1 asdfghjkl123 avrillavigne christopher1 cookiemonster cosmopolitan counterstrike
    edwardcullen finalfantasy hannahmontana iloveyou1234 iloveyou12345 ilovemyfamily ingodwetrust international
    internazionale jamesbond007 jesuslovesme justinbieber leavemealone letmein12345 letmein123456 linkedin2011
    liverpool123 manchesterunited michaeljackson minecraft123 motherfucker needforspeed onedirection p@ssw0rd1234
    password1234 password12345 password123456 password123! password1234! passw0rd1234 passwort1234 peanutbutter
    playstation2 playstation3 professional qazwsxedc123 qazwsxedcrfv qazxswedcvfr qweasdzxc123 qwerasdfzxcv qwerty123456
    residentevil seniseviyorum sonnenschein sonyericsson startfinding starwarsfan10 stratocaster supernatural
    telechargement temppassword transformers welcome12345 welcome123456 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i
    1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw23edc q1w2e3r4t5y6 zaq1xsw2cde3 123qweasdzxc 010203040506 102030405060
    112233445566 123456654321 correcthorsebatterystaple changeme1234 changeme12345 sluicepassword"""
COMMON: Final = frozenset(LEAKED.split())
ROWS: Final = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop[]", "qwertzuiopü", "asdfghjkl;'", "zxcvbnm,./")
BREAKS: Final = 2  # a password that leaves its row so often is a sequence yet: 123456qwerty


def check_password(password: str, *, email: str) -> None:
    """Raises Refused("invalid") for one that is too short, too long or known to those who guess."""
    if len(password) < SHORTEST:
        reason = f"The password must have {SHORTEST} characters or more"
    elif len(password) > LONGEST:
        reason = f"The password must have {LONGEST:,} characters or fewer"
    elif is_common(password.casefold()) or password.casefold() == email.casefold():
        reason = "This password is one of the first that others would try. Choose another one"
    else:
        return
    raise Refused("invalid", reason, [Complaint("password", reason)])


def is_common(password: str) -> bool:
    return password in COMMON or is_repetition(password) or is_sequence(password)


def is_repetition(text: str) -> bool:
    """Whether it is a shorter text again and again: `qwertyqwerty`."""
    return text in (text + text)[1:-1]


def is_sequence(text: str) -> bool:
    """Whether its characters are neighbours on a keyboard or in the alphabet: `123456789abc`."""
    return sum(not are_neighbours(before, after) for before, after in pairwise(text)) <= BREAKS


def are_neighbours(before: str, after: str) -> bool:
    return before == after or any(before + after in row or after + before in row for row in ROWS)


async def hash_password(password: str) -> str:
    """As a PHC string with a salt of its own."""
    return await asyncio.get_running_loop().run_in_executor(threads(), partial(derive, password))


async def verify_password(password: str, stored: str | None) -> bool:
    """Whether it is the password that is stored. None is no password, and takes the same time."""
    right = await asyncio.get_running_loop().run_in_executor(threads(), partial(verify, password, stored))
    return right and stored is not None


def derive(password: str) -> str:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415

    kdf = Argon2id(salt=os.urandom(16), length=32, iterations=PASSES, lanes=LANES, memory_cost=MEMORY_KIB)
    return kdf.derive_phc_encoded(encode(password))


def verify(password: str, stored: str | None) -> bool:
    from cryptography.exceptions import InvalidKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415

    try:
        Argon2id.verify_phc_encoded(encode(password), stored or nobodys())
    except InvalidKey:
        return False
    return True


def encode(password: str) -> bytes:
    """A form can send half a character."""
    return password[:LONGEST].encode(errors="surrogatepass")


@cache
def nobodys() -> str:
    """What the password of somebody who does not exist is compared with."""
    return derive(os.urandom(16).hex())


@cache
def threads() -> ThreadPoolExecutor:
    """They are few, so that many sign-ins at once take neither all memory nor the threads of others."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
