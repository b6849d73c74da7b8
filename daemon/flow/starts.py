"""What the core in C needs to read the starts of TLS and QUIC connections by itself (`_core_start.h`).

Rule 1: the inspectors are the oracle. What is said here is what they would say of a hello that is whole and usual; of any
        other nothing is said, and the inspector takes over.
Rule 2: where one of the readers in C is missing, the core does without, and every payload is the inspectors' business.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from daemon.decode import quic_keys, tls
from daemon.decode.ja4 import known_ja4
from daemon.decode.signatures import recognise_udp, recognise_udp_pair
from daemon.decode.tls_ciphers import cipher_name
from daemon.decode.tls_extensions import version_name
from daemon.flow.hello import Words
from daemon.flow.tcp import HEAD, TcpInspector
from daemon.flow.udp import UdpInspector

try:
    from daemon.decode._hello import certificate_names, parse_records, parse_server_hello, reader
    from daemon.decode._quic import read_hello
    from daemon.flow._core import Hello as _Hello
except ImportError:  # not built here: no compiler, or another processor's file
    NATIVE = False
else:
    NATIVE = tls.NATIVE and quic_keys.NATIVE

    class NativeHello(Words, _Hello):
        """A hello that the core in C has read; the same as Hello."""

        __slots__ = ()


def _core_starts() -> tuple[Any, ...] | None:
    if not NATIVE:
        return None
    return (
        *(parse_records, HEAD, reader, parse_server_hello, certificate_names),
        *(partial(read_hello, quic_keys.CLIENTS), quic_keys.SALTS, recognise_udp, recognise_udp_pair),
        *(TcpInspector.restore, UdpInspector.restore),
        *(NativeHello, version_name, cipher_name, known_ja4),
        *("tls", "quic", "doq", "dot"),
    )


CORE_STARTS = _core_starts()
