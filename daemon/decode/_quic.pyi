"""Keys of QUIC's Initials and what they open, in C; see `quic_keys`."""

from typing import TypeAlias

# How many Initials, the ClientHello where it is whole; then what the next datagram needs: the id that makes the keys, the id
# beside it, offset and bytes of what is there of CRYPTO, the keys.
Found: TypeAlias = tuple[int, bytes | None, bytes, bytes, tuple[tuple[int, bytes], ...], bytes]

def keys(salt: bytes, dcid: bytes, labels: tuple[bytes, bytes, bytes, bytes], portable: bool = False, /) -> bytes: ...
def open_packet(keys: bytes, packet: bytes, number_pos: int, end: int, /) -> bytes | None: ...
def read_hello(
    rules: dict[int, tuple[bytes, tuple[bytes, bytes, bytes, bytes]]], datagram: bytes, held: Found | None, /
) -> Found | None: ...
