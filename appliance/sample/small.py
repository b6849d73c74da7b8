"""The small protocols of applications: NTP, MQTT, STUN, RTP, WireGuard.

Rules: headers are exact; what is encrypted in real life (media, tunnels) is random bytes of the right length.
"""

from __future__ import annotations

import random
import struct

_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970, RFC 5905 section 6


def _ntp_time(time_us: int) -> bytes:
    seconds, rest = divmod(time_us, 1_000_000)
    return struct.pack(">II", seconds + _NTP_EPOCH & 0xFFFFFFFF, (rest << 32) // 1_000_000)


def ntp_request(time_us: int) -> bytes:
    """A version 4 client packet (RFC 5905 section 7.3)."""
    return b"\x23\0\6\xec" + bytes(36) + _ntp_time(time_us)


def ntp_answer(request: bytes, time_us: int) -> bytes:
    """A stratum 2 server's answer to `request`."""
    stamp = _ntp_time(time_us)
    return b"\x24\2\6\xe9" + bytes.fromhex("00000a1400000021c035670a") + stamp + request[40:48] + stamp + stamp


def _mqtt_text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def mqtt_connect(client: str, user: str) -> bytes:
    """CONNECT of MQTT 3.1.1 with a user name and a keep-alive of 60 s (section 3.1)."""
    body = _mqtt_text("MQTT") + b"\4\x82\0\x3c" + _mqtt_text(client) + _mqtt_text(user)
    return b"\x10" + bytes([len(body)]) + body


MQTT_ACCEPTED = b"\x20\2\0\0"
MQTT_PING = b"\xc0\0"
MQTT_PONG = b"\xd0\0"


def mqtt_publish(topic: str, payload: bytes) -> bytes:
    """PUBLISH with quality of service 0 and fewer than 128 bytes (section 3.3)."""
    body = _mqtt_text(topic) + payload
    return b"\x30" + bytes([len(body)]) + body


def stun_request(rng: random.Random) -> bytes:
    """A STUN binding request (RFC 8489 section 5) with a SOFTWARE attribute."""
    software = b"sample-agent"
    attribute = struct.pack(">HH", 0x8022, len(software)) + software
    return struct.pack(">HHI", 1, len(attribute), 0x2112A442) + rng.randbytes(12) + attribute


def stun_answer(request: bytes, address: bytes, port: int) -> bytes:
    """The answer with the XOR-MAPPED-ADDRESS of a client over IPv4 (RFC 8489 section 14.2)."""
    hidden = bytes(a ^ b for a, b in zip(address, b"\x21\x12\xa4\x42", strict=True))
    attribute = struct.pack(">HHBBH", 0x0020, 8, 0, 1, port ^ 0x2112) + hidden
    return struct.pack(">HH", 0x0101, len(attribute)) + request[4:20] + attribute


def rtp(kind: int, sequence: int, clock: int, source: int, payload: bytes) -> bytes:
    """An RTP packet of payload type `kind` (RFC 3550 section 5.1)."""
    return struct.pack(">BBHII", 0x80, kind, sequence & 0xFFFF, clock & 0xFFFFFFFF, source) + payload


def wireguard_hello(rng: random.Random, sender: int) -> bytes:
    """A handshake initiation of 148 bytes."""
    return struct.pack("<II", 1, sender) + rng.randbytes(140)


def wireguard_answer(rng: random.Random, sender: int, receiver: int) -> bytes:
    """A handshake response of 92 bytes."""
    return struct.pack("<III", 2, sender, receiver) + rng.randbytes(80)


def wireguard_data(rng: random.Random, receiver: int, counter: int, size: int) -> bytes:
    """A transport packet around `size` bytes, padded to 16 as the protocol asks."""
    return struct.pack("<IIQ", 4, receiver, counter) + rng.randbytes(size + -size % 16 + 16)


def ssh_text(data: bytes) -> bytes:
    """A string of SSH (RFC 4251 section 5)."""
    return struct.pack(">I", len(data)) + data


def ssh_packet(payload: bytes) -> bytes:
    """An unencrypted binary packet, padded to eight bytes (RFC 4253 section 6)."""
    padding = 4 + -(len(payload) + 9) % 8
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def ssh_offer(rng: random.Random) -> bytes:
    """SSH_MSG_KEXINIT (RFC 4253 section 7.1)."""
    ciphers, macs = b"chacha20-poly1305@openssh.com,aes128-ctr", b"hmac-sha2-256-etm@openssh.com,hmac-sha2-256"
    lists = (b"curve25519-sha256", b"ssh-ed25519", ciphers, ciphers, macs, macs, b"none", b"none", b"", b"")
    return ssh_packet(b"\x14" + rng.randbytes(16) + b"".join(ssh_text(names) for names in lists) + bytes(5))


def ssh_proof(rng: random.Random) -> bytes:
    """SSH_MSG_KEX_ECDH_REPLY with an Ed25519 host key and signature (RFC 5656 section 4, RFC 8709)."""
    kind = ssh_text(b"ssh-ed25519")
    key, signature = kind + ssh_text(rng.randbytes(32)), kind + ssh_text(rng.randbytes(64))
    return ssh_packet(b"\x1f" + ssh_text(key) + ssh_text(rng.randbytes(32)) + ssh_text(signature))
