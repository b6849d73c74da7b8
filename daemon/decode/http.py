"""HTTP/1.x requests, and SSDP's, in a client's byte stream (RFC 9112, RFC 9110); bodies are stepped over, never kept.

Rule 1: a request counts when its header block is whole: request line, fields, empty line; at most `MAX_HEAD` bytes.
Rule 2: where a body ends decides where the next request begins, so lengths are followed exactly; where they cannot be
        known (a gap in the headers, contradicting lengths, a switched protocol) reading goes on at the next segment
        that starts like a request, and nowhere in between.
Rule 3: senders are read tolerantly (bare LF, folded fields, blank before the colon), because a fact is what was sent.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.decode.text import free_text, name_text

MAX_HEAD = 32768
MAX_TARGET = 1024
MAX_HOST = 261  # a host name of 255, a colon, a port

_METHODS = frozenset(
    (
        *(b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"),
        # WebDAV and its extensions: RFC 4918, 3253, 3648, 3744, 4437, 5323, 4791
        *(b"PROPFIND", b"PROPPATCH", b"MKCOL", b"COPY", b"MOVE", b"LOCK", b"UNLOCK", b"REPORT", b"SEARCH", b"ACL"),
        *(b"VERSION-CONTROL", b"CHECKOUT", b"CHECKIN", b"UNCHECKOUT", b"MKWORKSPACE", b"UPDATE", b"LABEL", b"MERGE"),
        *(b"BASELINE-CONTROL", b"MKACTIVITY", b"ORDERPATCH", b"MKCALENDAR", b"BIND", b"UNBIND", b"REBIND", b"LINK"),
        *(b"UNLINK", b"MKREDIRECTREF", b"UPDATEREDIRECTREF", b"QUERY", b"PURGE"),
        *(b"M-SEARCH", b"NOTIFY", b"SUBSCRIBE", b"UNSUBSCRIBE"),  # UPnP Device Architecture 2.0
        *(b"RPC_CONNECT", b"RPC_IN_DATA", b"RPC_OUT_DATA", b"BITS_POST", b"CCM_POST", b"POLL"),  # Microsoft
    )
)
_LONGEST = max(len(method) for method in _METHODS)
_VERSIONS = frozenset(b"HTTP/%d.%d" % version for version in ((1, 0), (1, 1), (1, 2), (0, 9)))
_FIELDS = frozenset((b"host", b"user-agent", b"content-length", b"transfer-encoding", b"upgrade"))


class Request(NamedTuple):
    """One request. `target` and `user_agent` are cut at 1,024 bytes."""

    method: str
    target: str
    host: str  # as sent, lower case, port kept; "" where neither a Host field nor the target names one
    user_agent: str


def looks_like_request(buf: bytes) -> bool:
    """Whether the bytes start with a method we know and a blank."""
    end = buf.find(b" ", 0, _LONGEST + 1)
    return end > 2 and buf[:end] in _METHODS


def parse_request(stream: bytes, start: int = 0) -> tuple[Request, int] | None:
    """The request whose header block begins at `start`, and the offset behind that block; None: it is not whole yet.

    Raises DecodeError if it is no HTTP request, or its header block passes `MAX_HEAD`.
    """
    head = _find_head(stream, start)
    if head is None:
        return None
    request, _ = _parse_head(stream[start : head[0]])
    return request, head[1]


def _find_head(stream: bytes, start: int) -> tuple[int, int] | None:
    """Ends of the last field line and of the empty line behind it."""
    limit = start + MAX_HEAD
    bare = stream.find(b"\n\n", start, limit)
    full = stream.find(b"\n\r\n", start, limit if bare < 0 else bare + 2)
    if full >= 0:
        return full, full + 3
    if bare >= 0:
        return bare, bare + 2
    if len(stream) >= limit:
        raise DecodeError("HTTP header block beyond its bound")
    return None


def _parse_head(head: bytes) -> tuple[Request, dict[bytes, list[bytes]]]:
    first, _, rest = head.partition(b"\n")
    method, _, line = first.rstrip(b"\r").partition(b" ")
    target, _, version = line.rpartition(b" ")
    if method not in _METHODS or version not in _VERSIONS:
        raise DecodeError("not an HTTP request line")
    fields = _fields(rest)
    target = target.strip()
    agent = fields.get(b"user-agent", [b""])[0]
    host = fields[b"host"][0] if b"host" in fields else _authority(method, target)
    return (
        Request(
            method.decode("ascii"),
            free_text(target, MAX_TARGET),
            name_text(host[:MAX_HOST]),
            free_text(agent),
        ),
        fields,
    )


def _fields(lines: bytes) -> dict[bytes, list[bytes]]:
    """The values of the fields we read, in order, by lower-case name."""
    found: dict[bytes, list[bytes]] = {}
    folded: list[bytes] | None = None
    for line in lines.split(b"\n"):
        if line[:1] in (b" ", b"\t"):  # RFC 9112 section 5.2: obsolete folding reads as one blank
            if folded is not None:
                folded[-1] = (folded[-1] + b" " + line.strip()).strip()
            continue
        name, _, value = line.partition(b":")
        name = name.rstrip().lower()
        folded = None
        if name in _FIELDS:
            folded = found.setdefault(name, [])
            folded.append(value.strip())
    return found


def _authority(method: bytes, target: bytes) -> bytes:
    """RFC 9112 section 3.2: absolute-form and authority-form name the host themselves."""
    if method == b"CONNECT":
        return target
    scheme, mark, rest = target[:2048].partition(b"://")
    if not mark or not scheme.isalpha():
        return b""
    for end in (b"/", b"?", b"#"):
        rest = rest.partition(end)[0]
    return rest.rpartition(b"@")[2]


_HEAD, _BODY, _CHUNK_SIZE, _CHUNK, _TRAILER, _LOST = range(6)


class RequestReader:
    """All requests of one client's byte stream, fed in pieces of any size.

    Keeps where a body ends and at most `MAX_HEAD` bytes of an unfinished header block.
    """

    __slots__ = ("_buffer", "_mode", "_remaining", "switched")

    def __init__(self) -> None:
        self._buffer = b""  # of a header block, chunk size or trailer line
        self._mode = _HEAD
        self._remaining = 0  # bytes of the body or chunk
        self.switched = False  # CONNECT or Upgrade came last: what follows may be another protocol

    def feed(self, data: bytes) -> list[Request]:
        """The requests whose header blocks end in `data`: the next bytes of the stream, one segment or several."""
        requests: list[Request] = []
        if self._mode == _LOST:
            if not looks_like_request(data):
                return requests
            self._mode = _HEAD
        if self._buffer:
            held = len(self._buffer)
            if self._mode == _HEAD and held > _LONGEST and held + len(data) < MAX_HEAD and b"\n" not in data:
                self._buffer += data  # nothing can end here: a header line that drips in must not be read each time
                return requests
            data = self._buffer + data
            self._buffer = b""
        pos, size = 0, len(data)
        while pos < size:
            before, mode = pos, self._mode
            pos = self._step(data, pos, requests)
            if self._mode == _LOST:
                break
            if pos == before and self._mode == mode:
                self._buffer = data[pos:]
                break
        return requests

    def gap(self, size: int) -> None:
        """The next `size` bytes of the stream are missing. Inside a body they are skipped by its length."""
        if self._mode in (_BODY, _CHUNK) and size <= self._remaining:
            self._remaining -= size
            self._settle()
        elif size > 0:
            self._lose()

    def state(self) -> list[Any]:
        """JSON-able; `from_state` goes on from it as if nothing had happened."""
        return [self._mode, self._remaining, self.switched, self._buffer.hex()]

    @classmethod
    def from_state(cls, state: list[Any]) -> RequestReader:
        """The inverse of `state`. Trusts it: it comes from our own database."""
        reader = cls()
        reader._mode, reader._remaining, reader.switched, held = state
        reader._buffer = bytes.fromhex(held)
        return reader

    def _lose(self) -> None:
        self._mode, self._remaining, self._buffer = _LOST, 0, b""

    def _settle(self) -> None:
        """The body or chunk may have just ended."""
        if self._remaining == 0:
            self._mode = _HEAD if self._mode == _BODY else _CHUNK_SIZE

    def _step(self, data: bytes, pos: int, requests: list[Request]) -> int:
        """Read one thing from `pos`; the position behind it, or `pos` itself where more bytes are needed."""
        if self._mode == _HEAD:
            return self._read_head(data, pos, requests)
        if self._mode in (_BODY, _CHUNK):
            used = min(self._remaining, len(data) - pos)
            self._remaining -= used
            self._settle()
            return pos + used
        end = data.find(b"\n", pos, pos + MAX_TARGET)
        if end < 0:
            if len(data) - pos >= MAX_TARGET:
                self._lose()
            return pos
        line = data[pos:end].strip()
        if self._mode == _TRAILER:
            if not line:
                self._mode = _HEAD
        elif line:  # an empty line is the one that ends the chunk before
            self._read_chunk_size(line)
        return end + 1

    def _read_chunk_size(self, line: bytes) -> None:
        # RFC 9112 section 7.1: hexadecimal, extensions behind a semicolon; no sign, no underscore, which int() takes.
        digits = line.partition(b";")[0].strip()
        if not 0 < len(digits) <= 15 or digits.strip(b"0123456789abcdefABCDEF"):
            self._lose()
            return
        self._remaining = int(digits, 16)
        self._mode = _CHUNK if self._remaining else _TRAILER

    def _read_head(self, data: bytes, pos: int, requests: list[Request]) -> int:
        while data[pos : pos + 1] in (b"\r", b"\n"):  # RFC 9112 section 2.2: empty lines before a request line
            pos += 1
        if not self._may_be_request(data, pos):
            self._lose()
            return pos
        try:
            head = _find_head(data, pos)
            if head is None:
                return self._hold(data, pos)
            request, fields = _parse_head(data[pos : head[0]])
        except DecodeError:
            self._lose()
            return pos
        requests.append(request)
        self._expect_body(request.method, fields)
        return head[1]

    def _hold(self, data: bytes, pos: int) -> int:
        self._buffer = data[pos:]
        return len(data)

    @staticmethod
    def _may_be_request(data: bytes, pos: int) -> bool:
        start = data[pos : pos + _LONGEST + 1]
        if b" " in start:
            return looks_like_request(start)
        return any(method.startswith(start) for method in _METHODS)

    def _expect_body(self, method: str, fields: dict[bytes, list[bytes]]) -> None:
        """RFC 9112 section 6.3: where this request ends."""
        self.switched = method == "CONNECT" or b"upgrade" in fields
        coding = fields.get(b"transfer-encoding")
        lengths = {item.strip() for value in fields.get(b"content-length", []) for item in value.split(b",")}
        if self.switched:
            self._lose()
        elif coding:
            if coding[-1].rpartition(b",")[2].strip().lower() == b"chunked":
                self._mode = _CHUNK_SIZE
            else:
                self._lose()
        elif lengths:
            length = lengths.pop()
            if lengths or not length.isdigit() or len(length) > 15:
                self._lose()
            else:
                self._mode, self._remaining = _BODY, int(length)
                self._settle()
