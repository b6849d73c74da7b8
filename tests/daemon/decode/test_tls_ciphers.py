from __future__ import annotations

import ssl

import pytest

from daemon.decode.tls_ciphers import cipher_name


@pytest.mark.parametrize(
    ("code", "name"),
    [  # one from each run of the registry, and both ends of the longest
        (0x0000, "TLS_NULL_WITH_NULL_NULL"),
        (0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA"),
        (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
        (0x0084, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA"),
        (0x00FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
        (0x1305, "TLS_AES_128_CCM_8_SHA256"),
        (0x5600, "TLS_FALLBACK_SCSV"),
        (0xC001, "TLS_ECDH_ECDSA_WITH_NULL_SHA"),
        (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (0xC0AF, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8"),
        (0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    ],
)
def test_registered_names(code: int, name: str) -> None:
    assert cipher_name(code) == name


@pytest.mark.parametrize(("code", "text"), [(0x0060, "0x0060"), (0x0A0A, "0x0a0a"), (0xFEFF, "0xfeff")])
def test_others_are_numbers(code: int, text: str) -> None:
    assert cipher_name(code) == text


def test_every_suite_this_machine_can_speak_has_a_name_that_fits() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL")
    suites = context.get_ciphers()
    assert len(suites) > 30
    for suite in suites:
        name = cipher_name(suite["id"] & 0xFFFF)
        assert name.startswith("TLS_")
        for word in ("AES", "128", "256", "GCM", "CCM", "CHACHA20", "ECDHE", "DHE", "PSK", "CAMELLIA", "ARIA"):
            assert (word in suite["name"]) <= (word in name)
