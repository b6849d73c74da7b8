from __future__ import annotations

import json

from daemon.decode.http import Request
from daemon.decode.tls import ClientHello, ServerHello
from daemon.flow.hello import Hello, http_hello, tls_hello

SAID = ClientHello("www.example.com", ("h2", "http/1.1"), "TLS1.3", b"R" * 32, "ech", "t13d")


def test_handshake() -> None:
    hello = tls_hello(2, 77, 1, "tls", SAID)
    assert (hello.index, hello.seen_us, hello.side, hello.source) == (2, 77, 1, "tls")
    assert (hello.name, hello.alpn, hello.version, hello.ech, hello.ja4) == (
        "www.example.com", "h2,http/1.1", "TLS1.3", "ech", "t13d",
    )  # fmt: skip
    assert hello.random == (b"R" * 32).hex()
    assert (hello.chosen_version, hello.cipher, hello.certificate_names, hello.method) == (None, None, None, None)


def test_what_was_not_said_is_none() -> None:
    hello = tls_hello(0, 0, 0, "quic", SAID._replace(name=None, alpn=(), version="", ech=None, ja4=""))
    assert (hello.name, hello.alpn, hello.version, hello.ech, hello.ja4) == (None, None, None, None, None)
    request = http_hello(0, 0, 0, Request("GET", "/", "", ""))
    assert (request.name, request.user_agent, request.method) == (None, None, "GET")


def test_answer_of_the_server() -> None:
    hello = tls_hello(0, 0, 0, "tls", SAID)
    hello.answered(ServerHello("TLS1.2", "TLS_AES_128_GCM_SHA256", "http/1.1", retry=False))
    assert (hello.chosen_version, hello.cipher, hello.alpn) == ("TLS1.2", "TLS_AES_128_GCM_SHA256", "h2,http/1.1")
    silent = tls_hello(0, 0, 0, "tls", SAID._replace(alpn=()))
    silent.answered(ServerHello("TLS1.2", "0x1234", "h2", retry=False))
    assert silent.alpn == "h2"


def test_certificate_names_are_bounded() -> None:
    hello = tls_hello(0, 0, 0, "tls", SAID)
    hello.certified(("*.example.com", "example.com"))
    assert hello.certificate_names == "*.example.com example.com"
    hello.certified(tuple(f"host{number}.example.com" for number in range(500)))
    names = hello.certificate_names
    assert 900 < len(names) <= 1024
    assert all(name.endswith(".example.com") for name in names.split(" "))


def test_certificate_without_names() -> None:
    hello = tls_hello(0, 0, 0, "tls", SAID)
    hello.certified(())
    assert hello.certificate_names is None


def test_request() -> None:
    hello = http_hello(1, 5, 0, Request("POST", "/x", "example.com:8080", "curl/8"))
    assert (hello.source, hello.name, hello.method, hello.user_agent) == ("http", "example.com:8080", "POST", "curl/8")


def test_goes_on_from_its_state() -> None:
    hello = tls_hello(2, 77, 1, "tls", SAID)
    hello.certified(("a.example",))
    assert Hello(**json.loads(json.dumps(hello.state()))) == hello
