"""Domain names in DNS messages: labels and compression pointers (RFC 1035 sections 3.1 and 4.1.4).

Rule 1: a pointer leads to an earlier place of the message body: before the run of labels that holds it, behind the
        header. So no name loops, and what a name reads as depends only on where it starts.
Rule 2: a name is at most 255 octets uncompressed, root included, and at most 255 labels and pointers are followed.
Rule 3: the two upper bits 01 and 10 (extended labels, RFC 6891 section 5) are refused: nothing uses them.
"""

from __future__ import annotations

from daemon.decode.cursor import DecodeError
from daemon.decode.text import label_text

# Where a name starts in the message -> its text and its uncompressed size in octets. One for each message.
Names = dict[int, tuple[str, int]]

# A pointer that was followed: where to, and the labels and octets in front of it.
_Hop = tuple[int, int, int]

HEADER = 12
NAME_LIMIT = 255

_PLAIN = bytes(b for b in range(0x21, 0x7F) if b not in b".\\")


def read_name(buf: bytes, pos: int, names: Names) -> tuple[str, int]:
    """The name at `pos` as text (lower case, no final dot, root ""), and the offset behind it.

    Remembers the name in `names`, and uses what is there. Raises DecodeError for a name that breaks the rules above,
    IndexError where the buffer ends inside it.
    """
    length = buf[pos]
    if length >= 0xC0:  # the owner of nearly every record is one pointer to a name already read
        target = (length & 0x3F) << 8 | buf[pos + 1]
        known = names.get(target)
        if known is not None and target < pos:
            return known[0], pos + 2
    elif length == 0:
        return "", pos + 1
    return _walk(buf, pos, names)


def _walk(buf: bytes, pos: int, names: Names) -> tuple[str, int]:
    """`read_name` for a name that has to be put together."""
    start = floor = pos
    end = 0
    size = 1
    labels: list[bytes] = []
    hops: list[_Hop] = []
    tail = ""
    for _ in range(NAME_LIMIT):
        length = buf[pos]
        pos += 1
        if 0 < length < 0x40:
            # A slice that runs short is followed by the read of a byte that is not there: IndexError.
            labels.append(buf[pos : pos + length])
            pos += length
            size += length + 1
            if size > NAME_LIMIT:
                break
        elif length == 0:
            end = end or pos
            break
        elif length >= 0xC0:
            target = (length & 0x3F) << 8 | buf[pos]
            end = end or pos + 1
            if not HEADER <= target < floor:
                raise DecodeError("compression pointer does not lead back into the message")
            known = names.get(target)
            if known is not None:
                tail = known[0]
                size += known[1] - 1
                break
            hops.append((target, len(labels), size))
            floor = pos = target
        else:
            raise DecodeError("extended label type")
    else:
        raise DecodeError("name of too many labels and pointers")
    if size > NAME_LIMIT:
        raise DecodeError("name of more than 255 octets")
    text = _join(labels, tail)
    names[start] = text, size
    for target, count, before in hops:  # so that no message makes its names be walked again and again
        names[target] = (_join(labels[count:], tail) if count else text), size - before + 1
    return text, end


def _join(labels: list[bytes], tail: str) -> str:
    """Labels as `label_text` has them, with dots between; at one go where no byte needs an escape."""
    raw = b".".join(labels)
    # What is left are the dots between the labels, unless a label holds a dot or an odd byte.
    if len(raw.translate(None, _PLAIN)) == len(labels) - 1:
        text = raw.decode("ascii").lower()
    else:
        text = ".".join([label_text(label) for label in labels])
    return f"{text}.{tail}" if text and tail else text or tail
