from __future__ import annotations

import pytest

from daemon.decode.signatures import recognise_tcp
from tests.daemon.decode.test_dns_shape import ANSWER, QUERY

STUN = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "tls"),
        (b"\x16\x03\x03\x00\x5a\x02\x00\x00\x56\x03\x03", "tls"),
        (b"\x17\x03\x03\x00\x45" + bytes(69), "tls"),  # a capture that begins in the middle
        (b"\x14\x03\x03\x00\x01\x01", "tls"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "tls"),
        (b"\x16\x03\x01\x02\x00\x63\x00\x01", None),  # no such handshake message
        (b"\x16\x03\x09\x02\x00\x01\x00\x01", None),
        (b"\x17\x03\x03\xff\xff\x00", None),  # longer than a record may be
        (b"\x16\x03\x01", None),
    ],
)
def test_tls(payload: bytes, name: str | None) -> None:
    assert recognise_tcp(payload) == name


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http"),
        (b"POST ", "http"),  # some stacks send the line in pieces
        (b"GET /a/very/long/path/that/goes/on", "http"),
        (b"CONNECT example.com:443 HTTP/1.1\r\n\r\n", "http"),
        (b"SUBSCRIBE /upnp/event HTTP/1.1\r\n", "http"),
        (b"HTTP/1.1 200 OK\r\n", "http"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http"),
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n", "rtsp"),
        (b"DESCRIBE rtsp://cam/1 RTSP/1.0\r\n", "rtsp"),
        (b"RTSP/1.0 200 OK\r\n", "rtsp"),
        (b"FLUSH rtsp://192.168.1.20/1 RTSP/1.0\r\n", "rtsp"),
        (b"REGISTER sip:example.com SIP/2.0\r\n", "sip"),
        (b"GETTING / HTTP/1.1\r\n", None),
        (b"HELLO world\r\n", None),
        (b"GET me a coffee\r\n", None),
    ],
)
def test_request_and_status_lines(payload: bytes, name: str | None) -> None:
    assert recognise_tcp(payload) == name


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "ssh"),
        (b"SSH-key", None),
        (b"\x10\x1a\x00\x04MQTT\x04\x02\x00\x3c", "mqtt"),
        (b"\x10\x9a\x01\x00\x06MQIsdp\x03", "mqtt"),
        (b"\x10\xff\xff\xff\xff\x7f\x00\x04MQTT", None),  # the length has at most four bytes
        (b"<?xml version='1.0'?><stream:stream xmlns='jabber:client'>", "xmpp"),
        (b"<stream:stream to='example.com'>", "xmpp"),
        (b"<?xml version='1.0'?><note/>", None),
        (b"220 mail.example.com ESMTP ready\r\n", "smtp"),
        (b"EHLO phone\r\n", "smtp"),
        (b"220 Welcome to our FTP server\r\n", "ftp"),
        (b"220 hello\r\n", None),
        (b"+OK ready\r\n", "pop3"),
        (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "imap"),
        (b"\xff\xfd\x18\xff\xfb\x01", "telnet"),
        (b"\xff\xfb\x01", "telnet"),
        (b"\xff\xfb", None),
        (b"\xff\xfb\x63", None),  # no such option
        (b"\xff\xd8\xff\xe0", None),  # a JPEG
        (b"\x03\x00\x00\x0b\x06\xe0\x00\x00\x00\x00\x00", "rdp"),
        (b"\x03" + bytes(8) + bytes(range(256)) * 5, "rtmp"),
        (b"\x05\x01\x00", "socks"),
        (b"\x05\x02\x00\x02", "socks"),
        (b"\x05\x02\x00\x00", None),
        (b"\x04\x01\x00\x50\x5d\xb8\xd8\x77\x00", "socks"),
        (b"\x04\x01\x00\x50\x00\x00\x00\x01me\x00example.com\x00", "socks"),
        (b"AMQP\x00\x00\x09\x01", "amqp"),
        (b"\x00\x00\x00\x90\xfeSMB" + bytes(10), "smb"),
        (bytes.fromhex("000055aa00000001000000070000009c") + bytes(10), "tuya"),
        (b"\x00\x00\x00\x1d\xd0\xf2\x81\xf8", "kasa"),
        (b"RFB 003.008\n", "vnc"),
        (b"\x13BitTorrent protocol" + bytes(8), "bittorrent"),
        (STUN, "stun"),
        (STUN + STUN, "stun"),
        (STUN[:19], None),
        (len(QUERY).to_bytes(2, "big") + QUERY, "dns"),
        ((len(ANSWER).to_bytes(2, "big") + ANSWER) * 2, "dns"),
        (len(QUERY).to_bytes(2, "big") + QUERY[:-1], None),
        (b"", None),
    ],
)
def test_others(payload: bytes, name: str | None) -> None:
    assert recognise_tcp(payload) == name
