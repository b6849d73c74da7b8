from __future__ import annotations

import pytest

from daemon.decode import dns_types
from daemon.decode.dns_types import RCODES, TYPES, rcode_text, type_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "TYPE0"),
        (1, "A"),
        (2, "NS"),
        (5, "CNAME"),
        (6, "SOA"),
        (10, "NULL"),
        (11, "WKS"),
        (12, "PTR"),
        (13, "HINFO"),
        (15, "MX"),
        (16, "TXT"),
        (23, "NSAP-PTR"),
        (24, "SIG"),
        (26, "PX"),
        (28, "AAAA"),
        (29, "LOC"),
        (32, "NIMLOC"),
        (33, "SRV"),
        (35, "NAPTR"),
        (39, "DNAME"),
        (41, "OPT"),
        (43, "DS"),
        (46, "RRSIG"),
        (47, "NSEC"),
        (48, "DNSKEY"),
        (50, "NSEC3"),
        (52, "TLSA"),
        (53, "SMIMEA"),
        (54, "TYPE54"),
        (55, "HIP"),
        (61, "OPENPGPKEY"),
        (64, "SVCB"),
        (65, "HTTPS"),
        (99, "SPF"),
        (109, "EUI64"),
        (249, "TKEY"),
        (250, "TSIG"),
        (251, "IXFR"),
        (252, "AXFR"),
        (255, "ANY"),
        (256, "URI"),
        (257, "CAA"),
        (32769, "DLV"),
        (65280, "TYPE65280"),
    ],
)
def test_type_is_the_mnemonic_of_the_registry_or_its_number(number: int, text: str) -> None:
    assert type_text(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "NOERROR"),
        (1, "FORMERR"),
        (2, "SERVFAIL"),
        (3, "NXDOMAIN"),
        (4, "NOTIMP"),
        (5, "REFUSED"),
        (10, "NOTZONE"),
        (11, "DSOTYPENI"),
        (12, "RCODE12"),
        (16, "BADVERS"),
        (23, "BADCOOKIE"),
        (4095, "RCODE4095"),
    ],
)
def test_rcode_is_the_mnemonic_of_the_registry_or_its_number(number: int, text: str) -> None:
    assert rcode_text(number) == text


def test_no_mnemonic_stands_for_two_numbers() -> None:
    assert len(set(TYPES.values())) == len(TYPES)
    assert len(set(RCODES.values())) == len(RCODES)


def test_named_constants_agree_with_the_table() -> None:
    named = {name: number for name, number in vars(dns_types).items() if name.isupper() and isinstance(number, int)}
    assert {type_text(number): number for number in named.values()} == named
