"""Signatures of services over TCP: one function each, `check(payload) -> name or None`, on a direction's first bytes.

Rule: TCP checks have no ports, so each stands on its own. A capture may begin in the middle of a connection: then only
      framing that starts with the segment is recognised (TLS records), all else is left to the port.
"""

from __future__ import annotations

from daemon.decode.dns_shape import looks_like_dns
from daemon.decode.signatures_udp import stun as udp_stun

_HTTP_METHODS = frozenset(
    b"GET POST PUT HEAD DELETE OPTIONS PATCH CONNECT TRACE SUBSCRIBE UNSUBSCRIBE NOTIFY M-SEARCH "
    b"PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH".split()
)
_RTSP_METHODS = frozenset(
    b"OPTIONS DESCRIBE ANNOUNCE SETUP PLAY PAUSE TEARDOWN RECORD GET_PARAMETER SET_PARAMETER FLUSH".split()
)
_VERSIONS = ((b"HTTP/1.", "http"), (b"RTSP/1.", "rtsp"), (b"RTSP/2.", "rtsp"), (b"SIP/2.0", "sip"))
_LONGEST_LINE = 8192

_TLS_FIRST = {20: (1, 1), 21: (2, 2048), 22: (4, 16384 + 2048), 23: (17, 16384 + 2048)}  # shortest and longest record


def tls(payload: bytes) -> str | None:
    """RFC 8446 section 5.1: content type, version 3.x, a length that the type allows."""
    if len(payload) < 6 or payload[1] != 3 or payload[2] > 4:
        return None
    least, most = _TLS_FIRST[payload[0]]
    if not least <= int.from_bytes(payload[3:5], "big") <= most:
        return None
    # A handshake record of a connection's start is not encrypted: its first message has a type that exists.
    if payload[0] == 22 and payload[5] not in (0, 1, 2, 4, 11, 12, 14, 16, 20, 22):
        return None
    return "tls"


def text_request(payload: bytes) -> str | None:
    """First line of HTTP (RFC 9112 section 2.1), RTSP or SIP; the preface of HTTP/2 (RFC 9113 section 3.4)."""
    for version, name in _VERSIONS:
        if payload.startswith(version):
            return name
    if payload.startswith(b"PRI * HTTP/2.0\r\n"):
        return "http"
    line, found, _ = payload[:_LONGEST_LINE].partition(b"\r\n")
    words = line.split(b" ")
    method = words[0]
    if found:
        for version, name in _VERSIONS:
            if len(words) >= 3 and words[-1].startswith(version):
                known = _RTSP_METHODS if name == "rtsp" else _HTTP_METHODS
                return name if method in known or name == "sip" else None
        return None
    # The line goes on in the next segment: a known method and the start of a target must do.
    begun = len(words) > 1 and (words[1:] == [b""] or words[1].startswith((b"/", b"http://")))
    return "http" if begun and method in _HTTP_METHODS else None


def ssh(payload: bytes) -> str | None:
    """RFC 4253 section 4.2: the version line."""
    return "ssh" if payload.startswith((b"SSH-2.0-", b"SSH-1.")) else None


def mqtt(payload: bytes) -> str | None:
    """MQTT 3.1 to 5: CONNECT, the remaining length in one to four bytes, the protocol's name."""
    position = 1
    while position < len(payload) and position <= 4:
        position += 1
        if payload[position - 1] < 0x80:
            named = payload[position : position + 8]
            return "mqtt" if named[:6] == b"\x00\x04MQTT" or named == b"\x00\x06MQIsdp" else None
    return None


def xmpp(payload: bytes) -> str | None:
    """RFC 6120 section 4.2: a stream header, with or without an XML declaration."""
    head = payload[:1024]
    if head.startswith(b"<stream:stream"):
        return "xmpp"
    return "xmpp" if head.startswith(b"<?xml") and b"<stream:stream" in head else None


def mail(payload: bytes) -> str | None:
    """First words of SMTP (RFC 5321), FTP (RFC 959), POP3 (RFC 1939), IMAP (RFC 9051); 220 alone is ambiguous."""
    line = payload[:512].partition(b"\r\n")[0].upper()
    if line.startswith((b"EHLO ", b"HELO ", b"LHLO ")):
        return "smtp"
    if line.startswith((b"220 ", b"220-")):
        return "smtp" if b"SMTP" in line else "ftp" if b"FTP" in line else None
    if line.startswith((b"+OK ", b"-ERR ")) or line == b"+OK":
        return "pop3"
    return "imap" if line.startswith((b"* OK", b"* PREAUTH", b"* BYE")) else None


def telnet(payload: bytes) -> str | None:
    """RFC 854: IAC, WILL to DONT, an option; two such commands, or one that is all there is."""
    if len(payload) < 3 or not 0xFB <= payload[1] <= 0xFE or payload[2] > 49:
        return None
    return "telnet" if len(payload) == 3 or payload[3] == 0xFF else None


def rdp(payload: bytes) -> str | None:
    """RFC 1006 packet with exact length around a connection request or confirm (X.224)."""
    if len(payload) < 11 or payload[1] != 0 or int.from_bytes(payload[2:4], "big") != len(payload):
        return None
    return "rdp" if payload[5] in (0xE0, 0xD0) and payload[4] == len(payload) - 5 else None


def rtmp(payload: bytes) -> str | None:
    """RTMP 1.0 section 5.2: version 3, then 1536 bytes of which the second four are zero."""
    return "rtmp" if len(payload) >= 1000 and payload[5:9] == b"\x00\x00\x00\x00" else None


def socks(payload: bytes) -> str | None:
    """SOCKS 4: command, port, address, user. RFC 1928 section 3: a greeting of exact length, no method named twice."""
    if payload[0] == 4:
        named = payload[4:7] == b"\x00\x00\x00"  # 4a: an impossible address, the host's name behind the user's
        ends = len(payload) >= 9 and payload[-1] == 0 and (named or payload.find(0, 8) == len(payload) - 1)
        return "socks" if ends and payload[1] in (1, 2) else None
    methods = payload[2:]
    if len(payload) < 3 or payload[1] != len(methods) or len(methods) > 5:
        return None
    return "socks" if len(set(methods)) == len(methods) and max(methods) <= 9 else None


def amqp(payload: bytes) -> str | None:
    """The protocol header of AMQP 0-9-1 and 1.0."""
    return "amqp" if payload.startswith(b"AMQP") and len(payload) == 8 else None


def smb(payload: bytes) -> str | None:
    """MS-SMB2 section 2.1: length, then the mark of version 1 or 2; NetBIOS session framing is the same."""
    return "smb" if payload[4:8] in (b"\xfeSMB", b"\xffSMB") else None


def tuya(payload: bytes) -> str | None:
    """Tuya's local protocol: its mark, and a length that is no nonsense."""
    marked = payload[:4] in (b"\x00\x00\x55\xaa", b"\x00\x00\x66\x99")
    return "tuya" if marked and len(payload) >= 20 and payload[12:14] == b"\x00\x00" else None


def kasa(payload: bytes) -> str | None:
    """TP-Link's plugs: length, then JSON under a fixed autokey XOR that starts at 171, so `{"` is always d0 f2."""
    return "kasa" if payload[4:6] == b"\xd0\xf2" and payload[:2] == b"\x00\x00" else None


def vnc(payload: bytes) -> str | None:
    """RFC 6143 section 7.1.1."""
    return "vnc" if payload.startswith(b"RFB 00") and len(payload) == 12 else None


def bittorrent(payload: bytes) -> str | None:
    """BEP 3: the handshake."""
    return "bittorrent" if payload.startswith(b"\x13BitTorrent protocol") else None


def stun(payload: bytes) -> str | None:
    """As over UDP (RFC 8489 section 6.2.2), but only with the cookie; the first message may be followed by another."""
    size = 20 + int.from_bytes(payload[2:4], "big")
    return udp_stun(payload[:size], 0, 0) if payload[4:8] == b"\x21\x12\xa4\x42" and size <= len(payload) else None


def dns(payload: bytes) -> str | None:
    """RFC 1035 section 4.2.2: a length, then a message; the first must be there whole."""
    end = 2 + int.from_bytes(payload[:2], "big")
    return "dns" if end <= len(payload) and looks_like_dns(payload[2:end]) else None
