"""QUIC hellos put together: CRYPTO frames over several Initials of the client.

Rule 1: keys come from the destination connection id of the client's first Initial and stay so when that id changes
        (RFC 9001 section 5.2), except after a Retry or in a new connection: then the packet's own id opens it, and the
        collection starts again.
Rule 2: CRYPTO frames may come in any order, overlap and repeat; of two versions of a byte the first counts.
Rule 3: a connection's memory and work are bounded: `MAX_INITIALS` packets, `MAX_PIECES`, `MAX_CRYPTO` bytes.
Rule 4: one hello is delivered once, also if the client repeats it after a Retry.
"""

from __future__ import annotations

from typing import Any

from daemon.decode.cursor import DecodeError
from daemon.decode.quic_packet import Header, Initial, is_client_initial, open_initial, parse_headers
from daemon.decode.tls import CLIENT_HELLO

__all__ = ["HelloAssembler", "Initial", "is_client_initial"]

MAX_INITIALS = 16
MAX_PIECES = 64
MAX_CRYPTO = 65536


class _CryptoStream:
    """The client's CRYPTO bytes: disjoint pieces in order of their offsets, until the first message is taken."""

    __slots__ = ("initials", "pieces", "taken")

    def __init__(self) -> None:
        self.pieces: list[tuple[int, bytes]] = []
        self.initials = 0  # tried
        self.taken = False

    def restart(self) -> None:
        """Another handshake begins; the bound of Initials goes on."""
        self.pieces = []
        self.taken = False

    def count(self) -> None:
        """One more Initial to try; DecodeError beyond the bound."""
        if self.initials >= MAX_INITIALS:
            raise DecodeError("QUIC connection beyond its bound of Initials")
        self.initials += 1

    def add(self, initial: Initial) -> None:
        """Keep what is new in the packet's CRYPTO frames. What lies beyond the bounds is dropped."""
        if self.taken:
            return
        if self._add_whole(sorted([*self.pieces, *initial.fragments])):
            return
        for offset, data in initial.fragments:
            if data and offset + len(data) <= MAX_CRYPTO:
                self._add_piece(offset, data)

    def _add_whole(self, pieces: list[tuple[int, bytes]]) -> bool:
        """The usual packet: with what was there, its frames, however scattered, have no gap and no overlap."""
        end = first = pieces[0][0] if pieces else 0
        for offset, data in pieces:
            if offset != end:
                return False
            end += len(data)
        if end == first or end > MAX_CRYPTO:
            return False
        self.pieces = [(first, b"".join([data for _, data in pieces]))]
        return True

    def _add_piece(self, offset: int, data: bytes) -> None:
        pieces = self.pieces
        before = [piece for piece in pieces if piece[0] + len(piece[1]) < offset]
        behind = [piece for piece in pieces if piece[0] > offset + len(data)]
        touched = pieces[len(before) : len(pieces) - len(behind)]
        if not touched and len(pieces) >= MAX_PIECES:
            return
        for start, kept in touched:
            if start > offset:
                data = data[: start - offset] + kept + data[start - offset + len(kept) :]
            else:
                data = kept + data[start - offset + len(kept) :]
                offset = start
        self.pieces = [*before, (offset, data), *behind]

    def prefix(self) -> bytes:
        """The bytes from offset 0 to the first gap."""
        return self.pieces[0][1] if self.pieces and self.pieces[0][0] == 0 else b""

    def take(self) -> bytes | None:
        """The first handshake message, once, when it is whole; then nothing more is collected."""
        prefix = self.prefix()
        if len(prefix) < 4:
            return None
        size = 4 + int.from_bytes(prefix[1:4], "big")
        if size > len(prefix):
            return None
        self.pieces = []
        self.taken = True
        return prefix[:size]

    def state(self) -> list[Any]:
        """JSON-able."""
        return [self.initials, self.taken, [[offset, data.hex()] for offset, data in self.pieces]]

    @classmethod
    def from_state(cls, state: list[Any]) -> _CryptoStream:
        """The inverse of `state`."""
        stream = cls()
        stream.initials, stream.taken, pieces = state
        stream.pieces = [(offset, bytes.fromhex(data)) for offset, data in pieces]
        return stream


class HelloAssembler:
    """The hellos of one QUIC connection. Feed it the datagrams of the client in the order they were captured.

    After its hello a connection costs one decryption for each of the few Initials that follow, and no memory.
    """

    __slots__ = ("_client", "_dcid", "_delivered", "_scid")

    def __init__(self) -> None:
        self._dcid: bytes | None = None  # that the keys come from
        self._scid = b""  # of the same packet
        self._delivered = b""  # random of the last ClientHello returned
        self._client = _CryptoStream()

    def feed(self, datagram: bytes) -> bytes | None:
        """A datagram of the client. The ClientHello handshake message when it is whole; None: not yet, or delivered.

        Raises DecodeError if the datagram begins with an Initial that cannot be read, or one too many.
        """
        for index, header in enumerate(parse_headers(datagram)):
            self._client.count()
            try:
                initial = self._open(datagram, header)
            except DecodeError:
                if index == 0:
                    raise
                break  # behind a readable Initial one of other keys is no part of this handshake
            self._client.add(initial)
        message = self._client.take()
        if message is None or message[6:38] == self._delivered:
            return None
        if message[0] != CLIENT_HELLO:
            raise DecodeError("QUIC handshake does not begin with a ClientHello")
        self._delivered = message[6:38]
        return message

    def _open(self, datagram: bytes, header: Header) -> Initial:
        if self._dcid is not None:
            try:
                return open_initial(datagram, header, self._dcid)
            except DecodeError:
                if header.dcid == self._dcid:
                    raise
        # The first Initial, the one after a Retry (RFC 9001 section 5.2), or a new connection from the same port.
        initial = open_initial(datagram, header, header.dcid)
        retried = bool(header.token) and self._dcid is not None and header.scid == self._scid
        self._dcid, self._scid = header.dcid, header.scid
        if not (retried and self._client.taken):  # some clients change the hello after a Retry, none its meaning
            self._client.restart()
        return initial

    def prefix(self) -> bytes:
        """The ClientHello as far as it is there, for `parse_client_hello(..., cut=True)` when no more will come."""
        return self._client.prefix()

    def state(self) -> list[Any]:
        """JSON-able; `from_state` goes on from it as if nothing had happened."""
        dcid = None if self._dcid is None else self._dcid.hex()
        return [dcid, self._scid.hex(), self._delivered.hex(), self._client.state()]

    @classmethod
    def from_state(cls, state: list[Any]) -> HelloAssembler:
        """The inverse of `state`. Trusts it: it comes from our own database."""
        assembler = cls()
        dcid, scid, delivered, client = state[:4]  # older versions kept a side of the server
        assembler._dcid = None if dcid is None else bytes.fromhex(dcid)
        assembler._scid = bytes.fromhex(scid)
        assembler._delivered = bytes.fromhex(delivered)
        assembler._client = _CryptoStream.from_state(client)
        return assembler
