"""Passwords, codes and tokens: made, kept as digests, compared. Pure, but for the randomness of the system.

Rule 1: what a person chose is kept as scrypt (RFC 7914) with its costs and a salt of its own; what was drawn at random
        with 128 bits or more is kept as SHA-256: nobody can try them all.
Rule 2: comparing takes as long for a wrong one as for a right one.
Rule 3: costs stand in what is kept, so that they can grow; one trial takes 16 MiB, which a small Pi has to spare.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from itertools import pairwise

from daemon.store.words import BadWordError

SHORTEST, LONGEST = 10, 1024  # characters
LOG_N, R, P = 14, 8, 5  # 2**14 * 8 * 128 bytes, five times
_MEMORY = 64 << 20
_DEAREST = 30  # of each cost: what is more was not written by us
_FEWEST_SIGNS = 5
_SALT, _SIZE = 16, 32  # bytes
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that looks like another
_GROUPS, _GROUP = 4, 4  # of a code: 80 bits
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "01234567890")
_WORN = frozenset({
    "admin", "administrator", "changeme", "default", "hallo", "hello", "home", "homeport", "iloveyou", "internet",
    "letmein", "password", "passwort", "raspberry", "raspberrypi", "router", "secret", "welcome", "wifi", "wlan",
})  # fmt: skip


def hashed(password: str, *, log_n: int = LOG_N, r: int = R, p: int = P) -> str:
    """What is kept of a password: `scrypt$14$8$5$SALT$DIGEST`."""
    salt = secrets.token_bytes(_SALT)
    digest = _scrypt(password, salt, log_n, r, p)
    return f"scrypt${log_n}${r}${p}${_text(salt)}${_text(digest)}"


def fits(password: str, kept: str) -> bool:
    """Whether this is the password of which `kept` was kept."""
    try:
        name, log_n, r, p, salt, digest = kept.split("$")
        costs = int(log_n), int(r), int(p)
        wanted = base64.b64decode(digest, validate=True)
        if name != "scrypt" or len(password) > LONGEST or max(costs) > _DEAREST:
            return False
        return hmac.compare_digest(_scrypt(password, base64.b64decode(salt, validate=True), *costs), wanted)
    except (ValueError, OverflowError):
        return False  # not one of ours: nothing fits it


def check_password(password: str) -> str:
    """The password, where nobody guesses it in an evening. Raises BadWordError with what is wanted."""
    if len(password) < SHORTEST:
        raise BadWordError(f"A password wants at least {SHORTEST} characters: three or four unrelated words do well.")
    if len(password) > LONGEST:
        raise BadWordError(f"A password may have at most {LONGEST} characters.")
    plain = password.lower()
    core = plain.strip("0123456789 !.?#*-_")
    if len(set(plain)) < _FEWEST_SIGNS or core in _WORN or not core or _walks(plain):
        raise BadWordError("That password would be guessed first: choose three or four unrelated words.")
    return password


def new_code() -> str:
    """A code that a person can type: `K7QF-2MXP-9WTD-H4RB`."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def code_digest(code: str) -> bytes:
    """What is kept of a code; how it was written (case, spaces, dashes) does not matter."""
    return digest_of("".join(sign for sign in code.upper() if sign in _LETTERS))


def new_token(prefix: str = "") -> str:
    """256 random bits as text."""
    return prefix + secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def same(one: bytes, other: bytes) -> bool:
    """Whether two digests are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one, other)


def _walks(text: str) -> bool:
    """Whether nearly all of it runs along the alphabet, the digits or a keyboard."""
    steps = sum(any(one + other in row or other + one in row for row in _ROWS) for one, other in pairwise(text))
    return steps >= len(text) - 3


def _scrypt(password: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    # A phone and a laptop may compose an accented letter differently.
    octets = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(octets, salt=salt, n=1 << log_n, r=r, p=p, maxmem=_MEMORY, dklen=_SIZE)


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
