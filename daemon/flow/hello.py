"""Hellos on their way to becoming facts: what the client asked, and what the server answered so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.decode.certificate import certificate_names
from daemon.decode.cursor import DecodeError
from daemon.decode.http import Request
from daemon.decode.tls import CERTIFICATE, SERVER_HELLO, ClientHello, ServerHello, parse_server_hello

_MAX_CERTIFICATE_TEXT = 1024


@dataclass(slots=True)
class Said:
    """What one handshake or request of a flow says; `side` (0 or 1) is the end that sent it."""

    index: int
    seen_us: int
    side: int
    source: str
    name: str | None
    alpn: str | None = None
    version: str | None = None
    chosen_version: str | None = None
    cipher: str | None = None
    ech: str | None = None
    ja4: str | None = None
    certificate_names: str | None = None
    method: str | None = None
    user_agent: str | None = None
    random: str = ""  # tells a repeated hello (retransmission, answer to a HelloRetryRequest) from a new handshake


if TYPE_CHECKING:
    _Base = Said
else:
    _Base = object  # what was said comes in with each of the two


class Words(_Base):
    """What is the same for a hello that Python made and one that C made."""

    __slots__ = ()

    def answered(self, server: ServerHello) -> None:
        """The server chose."""
        self.chosen_version, self.cipher = server.version, server.cipher
        if server.alpn:
            self.alpn = self.alpn or server.alpn

    def certified(self, names: tuple[str, ...]) -> None:
        """The server showed its certificate (visible up to TLS 1.2)."""
        text = " ".join(names)
        if len(text) > _MAX_CERTIFICATE_TEXT:
            text = text[: _MAX_CERTIFICATE_TEXT + 1].rpartition(" ")[0]  # half a name would be a wrong one
        self.certificate_names = text or None

    def state(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in Said.__slots__}


class Hello(Words, Said):
    """One handshake or request of a flow."""

    __slots__ = ()


def tls_hello(index: int, seen_us: int, side: int, source: str, hello: ClientHello) -> Hello:
    """A ClientHello, of TLS or QUIC."""
    return Hello(
        index=index,
        seen_us=seen_us,
        side=side,
        source=source,
        name=hello.name,
        alpn=",".join(hello.alpn) or None,
        version=hello.version or None,
        ech=hello.ech,
        ja4=hello.ja4 or None,
        random=hello.random.hex(),
    )


def read_answer(hello: Hello, messages: Iterable[bytes], done: bool) -> bool:
    """Note what the server's handshake messages answer; whether nothing more can come. `done`: the plaintext has ended."""
    try:
        for message in messages:
            if message[0] == SERVER_HELLO and hello.cipher is None:
                hello.answered(parse_server_hello(message))
            elif message[0] == CERTIFICATE and hello.cipher is not None:
                hello.certified(certificate_names(message))
                return True
    except DecodeError:
        return True
    return done or hello.chosen_version == "TLS1.3"


def http_hello(index: int, seen_us: int, side: int, request: Request) -> Hello:
    """An HTTP request."""
    return Hello(
        index=index,
        seen_us=seen_us,
        side=side,
        source="http",
        name=request.host or None,
        method=request.method,
        user_agent=request.user_agent or None,
    )
