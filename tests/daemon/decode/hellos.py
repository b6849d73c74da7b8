"""Handshake bytes for tests: real ones from this machine's OpenSSL, without a network, and ones built by field."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def openssl_hello(name: str | None = "www.example.com", alpn: Sequence[str] = ("h2", "http/1.1")) -> bytes:
    """The first flight of a real client: one TLS record with a ClientHello."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    out = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return out.read()
    raise AssertionError("a client cannot finish alone")


def certificate(
    common_name: str | None,
    dns: Sequence[str] = (),
    addresses: Sequence[str] = (),
    mail: Sequence[str] = (),
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [] if common_name is None else [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(attributes))
        .issuer_name(x509.Name(attributes))
        .public_key(key.public_key())
        .serial_number(77)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=3650))
    )
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in dns]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    names += [x509.RFC822Name(address) for address in mail]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()), key


@cache
def server_context(version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server for `*.example.com` and 192.0.2.7 that speaks exactly one version."""
    leaf, key = certificate("ignored.example", ["*.example.com", "Example.COM"], ["192.0.2.7"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["http/1.1"])
    pem = leaf.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return context


def handshake(version: ssl.TLSVersion) -> tuple[bytes, bytes]:
    """All bytes of a real handshake: client to server, server to client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname="www.example.com")
    server_in, server_out = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context(version).wrap_bio(server_in, server_out, server_side=True)
    sent, received = b"", b""
    for _ in range(6):
        for end in (client, server):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
            up, down = to_server.read(), server_out.read()
            server_in.write(up)
            to_client.write(down)
            sent, received = sent + up, received + down
    return sent, received


def vector(width: int, body: bytes) -> bytes:
    """A byte string behind its length."""
    return len(body).to_bytes(width, "big") + body


def codes(*values: int) -> bytes:
    """16-bit numbers."""
    return b"".join(value.to_bytes(2, "big") for value in values)


def extension(code: int, body: bytes = b"") -> bytes:
    """One extension."""
    return codes(code) + vector(2, body)


def sni(*names: bytes, kind: int = 0) -> bytes:
    """server_name with these entries, all of one type."""
    return extension(0, vector(2, b"".join(bytes([kind]) + vector(2, name) for name in names)))


def alpn(*names: bytes) -> bytes:
    """The ALPN extension."""
    return extension(16, vector(2, b"".join(vector(1, name) for name in names)))


def versions(*values: int) -> bytes:
    """A client's supported_versions."""
    return extension(43, vector(1, codes(*values)))


def client_hello(
    extensions: bytes | None = b"",
    ciphers: Sequence[int] = (0x1301, 0x1302),
    version: int = 0x0303,
    cookie: bytes | None = None,
) -> bytes:
    """A ClientHello message with its 4-byte header; without an extensions block if `extensions` is None."""
    body = codes(version) + bytes(range(32)) + vector(1, b"S" * 32)
    if cookie is not None:
        body += vector(1, cookie)
    body += vector(2, codes(*ciphers)) + vector(1, b"\0")
    if extensions is not None:
        body += vector(2, extensions)
    return b"\x01" + vector(3, body)


def records(message: bytes, *sizes: int, content: int = 22) -> bytes:
    """The message in TLS records of these sizes; the last takes the rest."""
    out, pos = b"", 0
    for size in (*sizes, len(message)):
        piece = message[pos : pos + size]
        out += bytes([content]) + b"\x03\x01" + vector(2, piece)
        pos += size
        if pos >= len(message):
            break
    return out
