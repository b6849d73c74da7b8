"""The names a server's certificate is made out to, where TLS up to 1.2 shows it.

Rule 1: only the leaf speaks for the server; its issuers name authorities.
Rule 2: subjectAltName decides; the common name speaks only where that holds no name (RFC 6125 section 6.4.4). What a
        broken extension hides is not replaced by something weaker than it.
Rule 3: what is usual, a subjectAltName of names and addresses, is read here; what is not, the library judges. To load it
        takes longer than to read a thousand certificates.
Rule 4: `_hello.c`, where it was built, reads most of the usual ones, with the same results (`native=False` does without).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

from daemon.decode.cursor import Cursor, DecodeError
from daemon.decode.der import OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, content, elements
from daemon.decode.text import name_text

try:
    from daemon.decode import _hello
except ImportError:  # not built here: no compiler, or another processor's file
    NATIVE = False
else:
    NATIVE = True

if TYPE_CHECKING:
    from cryptography import x509

MAX_NAMES = 100
MAX_NAME = 255
_CERTIFICATE = 11
_EXTENSIONS = 0xA3  # the tags of RFC 5280: [3] of a TBSCertificate, [2] and [7] of a GeneralName
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_ALTERNATIVE_NAME = bytes((0x55, 0x1D, 0x11))  # 2.5.29.17


def certificate_names(message: bytes, *, native: bool = NATIVE) -> tuple[str, ...]:
    """DNS names and addresses of the leaf of a Certificate handshake message (RFC 5246 section 7.4.2), as they stand.

    At most `MAX_NAMES`, without repetition. Raises DecodeError if the message or its certificate cannot be read.
    """
    found: tuple[str, ...] | None = _hello.certificate_names(message) if native else None
    return _names_in(_leaf(message)) if found is None else found


@lru_cache(maxsize=512)
def _names_in(der: bytes) -> tuple[str, ...]:
    """Of one certificate. A house meets the same few again and again: of a thousand handshakes most show one of these."""
    names = usual_names(der)
    if names is None:
        names = any_names(der)
    texts = [name_text(name.encode("utf-8", "surrogatepass")[:MAX_NAME]) for name in names[:MAX_NAMES]]
    return tuple(dict.fromkeys([text for text in texts if text]))


def usual_names(der: bytes) -> list[str] | None:
    """The names of a certificate whose subjectAltName has names and addresses alone; None where the library is to look."""
    try:
        at, end = content(der, 0, len(der), SEQUENCE)
        extensions = list(_extensions(der, *content(der, at, end, SEQUENCE)))
        found = [value for name, value in extensions if name == _ALTERNATIVE_NAME]
        if len(found) != 1 or len({name for name, _ in extensions}) < len(extensions):
            return None
        return _general_names(der, *content(der, *found[0], SEQUENCE))
    except (DecodeError, UnicodeDecodeError):
        return None


def _extensions(der: bytes, at: int, end: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """(identifier, where its value lies) of each extension of a TBSCertificate (RFC 5280 sections 4.1 and 4.2)."""
    found = next((each for each in elements(der, at, end) if each[0] == _EXTENSIONS), None)
    if found is None:
        return
    for tag, first, last in elements(der, *content(der, *found[1:], SEQUENCE)):
        parts = list(elements(der, first, last))
        if (
            tag != SEQUENCE
            or not 2 <= len(parts) <= 3
            or parts[0][0] != OBJECT_IDENTIFIER
            or parts[-1][0] != OCTET_STRING
        ):
            raise DecodeError("not an extension")
        yield der[parts[0][1] : parts[0][2]], parts[-1][1:]


def _general_names(der: bytes, at: int, end: int) -> list[str] | None:
    """RFC 5280 section 4.2.1.6: names, then addresses; None where there is none of them, or anything else."""
    names: list[str] = []
    addresses: list[str] = []
    for tag, start, stop in elements(der, at, end):
        if tag == _DNS_NAME:
            names.append(der[start:stop].decode("ascii"))
        elif tag == _IP_ADDRESS and stop - start in (4, 16):
            addresses.append(str(ip_address(der[start:stop])))
        else:
            return None
    return names + addresses or None


def any_names(der: bytes) -> list[str]:
    """The names of a certificate as the library reads it. Raises DecodeError."""
    from cryptography import x509  # noqa: PLC0415  slow to import, and few certificates need it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about certificates that a device out there still uses
            return _names(x509.load_der_x509_certificate(der))
    except Exception as exc:  # the library has no common base for what hostile DER makes it raise
        raise DecodeError(f"certificate cannot be read: {type(exc).__name__}") from exc


def _leaf(message: bytes) -> bytes:
    cursor = Cursor(message)
    if cursor.get_uint8() != _CERTIFICATE:
        raise DecodeError("not a Certificate message")
    chain = cursor.limit(cursor.get_uint24())
    certificates = chain.limit(chain.get_uint24())
    if not certificates.remaining:
        raise DecodeError("Certificate message without a certificate")
    return certificates.get_counted(3)


def _names(certificate: x509.Certificate) -> list[str]:
    from cryptography import x509  # noqa: PLC0415  as above

    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return _common_names(certificate)
    names = list(alternatives.get_values_for_type(x509.DNSName))
    names += [str(address) for address in alternatives.get_values_for_type(x509.IPAddress)]
    return names or _common_names(certificate)


def _common_names(certificate: x509.Certificate) -> list[str]:
    from cryptography.x509.oid import NameOID  # noqa: PLC0415  as above

    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    values = [attribute.value for attribute in found]
    return [value if isinstance(value, str) else value.decode("latin-1") for value in values[-1:]]
