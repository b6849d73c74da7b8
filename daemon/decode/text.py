"""How bytes from the network become text in the public schema.

Rule: a name is lower case, without final dot, and every byte outside 0x21-0x7e is written `\\DDD` (three decimal digits,
RFC 1035 section 5.1). A dot or a backslash inside a DNS label is escaped too, so that a label cannot pass for two.
"""

from __future__ import annotations

_FREE = [chr(b) if 0x20 <= b <= 0x7E and b != 0x5C else f"\\{b:03d}" for b in range(256)]
_NAME = [chr(b).lower() if 0x21 <= b <= 0x7E and b != 0x5C else f"\\{b:03d}" for b in range(256)]
_LABEL = [text if byte != 0x2E else "\\046" for byte, text in enumerate(_NAME)]
_PLAIN = bytes(b for b in range(0x21, 0x7F) if b not in b"\\")
_PLAIN_LABEL = bytes(b for b in _PLAIN if b not in b".")


def name_text(raw: bytes) -> str:
    """A dotted name as it stands in a hello or header (dots separate): lower case, no final dot, odd bytes escaped."""
    if raw.translate(None, _PLAIN):
        text = "".join([_NAME[b] for b in raw])
    else:
        text = raw.decode("ascii").lower()
    return text.rstrip(".")


def label_text(raw: bytes) -> str:
    """One DNS label: as a name, with dots inside it escaped."""
    if raw.translate(None, _PLAIN_LABEL):
        return "".join([_LABEL[b] for b in raw])
    return raw.decode("ascii").lower()


def free_text(raw: bytes, limit: int = 1024) -> str:
    """A header value, host name or description: UTF-8 where it is printable UTF-8, else odd bytes as `\\DDD`.

    At most `limit` bytes are taken, so that a hostile field cannot fill the database.
    """
    raw = raw[:limit]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return "".join([_FREE[b] for b in raw])
    if text.isprintable():
        return text.replace("\\", "\\092")
    return "".join([c if c.isprintable() and c != "\\" else "".join(f"\\{b:03d}" for b in c.encode()) for c in text])
