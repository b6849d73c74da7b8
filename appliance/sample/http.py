"""Plain HTTP/1.1 requests and answers, and the HTTP over UDP of SSDP (RFC 9112, UPnP Device Architecture 2.0)."""

from __future__ import annotations


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request with its headers in the given order."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{key}: {value}" for key, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer(status: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """An answer that states the length of its body."""
    lines = [
        f"HTTP/1.1 {status}",
        *(f"{key}: {value}" for key, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ssdp_search(target: str) -> bytes:
    """An M-SEARCH for `target` (UPnP section 1.3.2)."""
    headers = {"HOST": "239.255.255.250:1900", "MAN": '"ssdp:discover"', "MX": "2", "ST": target}
    return request("M-SEARCH", "*", headers)


def ssdp_alive(location: str, server: str, kind: str, serial: str) -> bytes:
    """A NOTIFY by which a device announces itself (UPnP section 1.2.2)."""
    headers = {
        "HOST": "239.255.255.250:1900",
        "CACHE-CONTROL": "max-age = 1800",
        "LOCATION": location,
        "NT": kind,
        "NTS": "ssdp:alive",
        "SERVER": server,
        "USN": f"{serial}::{kind}",
    }
    return request("NOTIFY", "*", headers)
