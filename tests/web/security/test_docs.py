"""docs/security.md says what is so: addresses, limits, headers, scopes."""

from __future__ import annotations

from daemon.store import access_tokens, passwords, sessions
from tests.support.payloads import payloads
from tests.test_docs import section, table, text
from tests.web.security.test_every_route import PUBLIC
from web import reading
from web.security import attempts, limits
from web.security.headers import HEADERS

DOCUMENT = "docs/security.md"
_DAY_US = 86_400_000_000


def test_it_lists_every_address_that_is_public() -> None:
    assert {row[0] for row in table(section(text(DOCUMENT), "Who may come in"))} == PUBLIC | {"/static"}


def test_it_lists_every_header() -> None:
    assert [row[0] for row in table(section(text(DOCUMENT), "Headers of every answer"))] == list(HEADERS)


def test_it_lists_every_scope() -> None:
    assert [row[0] for row in table(section(text(DOCUMENT), "Programs"))] == list(access_tokens.SCOPES)


def test_its_limits_are_those_that_hold() -> None:
    assert dict(table(section(text(DOCUMENT), "Limits"))) == {
        "characters of a password": f"{passwords.SHORTEST} to {passwords.LONGEST}",
        "scrypt, N": str(1 << passwords.LOG_N),
        "scrypt, r": str(passwords.R),
        "scrypt, p": str(passwords.P),
        "wrong tries of one address in a minute": str(attempts.FREE),
        "wrong tries of all addresses in a minute": str(attempts.ALL),
        "longest wait, seconds": f"{attempts.LONGEST_S:.0f}",
        "days after which an unused session ends": str(sessions.IDLE_US // _DAY_US),
        "days after which every session ends": str(sessions.WHOLE_US // _DAY_US),
        "sessions at once": str(sessions.MOST),
        "minutes for which the password need not be said again": str(sessions.CONFIRMED_US // sessions.MINUTE_US),
        "tokens at once": str(access_tokens.MOST),
        "bytes of a request's body": str(limits.MOST_BYTES),
        "seconds of a query": f"{reading.LIMIT_SECONDS:.0f}",
    }


def test_its_number_of_payloads_is_right() -> None:
    assert f"Packets, in short: {len(payloads())} hostile texts" in text(DOCUMENT)
