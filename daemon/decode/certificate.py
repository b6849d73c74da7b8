"""The names a server's certificate is made out to, where TLS up to 1.2 shows it.

Rule 1: only the leaf speaks for the server; its issuers name authorities.
Rule 2: subjectAltName decides; the common name speaks only where that holds no name (RFC 6125 section 6.4.4). What a
        broken extension hides is not replaced by something weaker than it.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

from daemon.decode.cursor import Cursor, DecodeError
from daemon.decode.text import name_text

if TYPE_CHECKING:
    from cryptography import x509

MAX_NAMES = 100
MAX_NAME = 255
_CERTIFICATE = 11


def certificate_names(message: bytes) -> tuple[str, ...]:
    """DNS names and addresses of the leaf of a Certificate handshake message (RFC 5246 section 7.4.2), as they stand.

    At most `MAX_NAMES`, without repetition. Raises DecodeError if the message or its certificate cannot be read.
    """
    return _names_in(_leaf(message))


@lru_cache(maxsize=512)
def _names_in(der: bytes) -> tuple[str, ...]:
    """Of one certificate. A house meets the same few again and again: of a thousand handshakes most show one of these."""
    from cryptography import x509  # noqa: PLC0415  slow to import, and few captures show certificates

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about certificates that a device out there still uses
            names = _names(x509.load_der_x509_certificate(der))
    except Exception as exc:  # the library has no common base for what hostile DER makes it raise
        raise DecodeError(f"certificate cannot be read: {type(exc).__name__}") from exc
    texts = [name_text(name.encode("utf-8", "surrogatepass")[:MAX_NAME]) for name in names[:MAX_NAMES]]
    return tuple(dict.fromkeys([text for text in texts if text]))


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
