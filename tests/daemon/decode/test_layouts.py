from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from daemon.decode import links, slow
from daemon.decode.layouts import Layout

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("module", "header", "size"),
    [
        ("ethernet", "Ethernet", 14),
        ("ethernet", "VLANtag8021Q", 4),
        ("sll", "SLL", 16),
        ("sll2", "SLL2", 20),
        ("ip", "IP", 20),
        ("ip6", "IP6", 40),
        ("ip6", "IP6FragmentHeader", 8),
        ("tcp", "TCP", 20),
        ("udp", "UDP", 8),
        ("gre", "GRE", 4),
    ],
)
def test_sizes_are_those_of_the_standards(module: str, header: str, size: int) -> None:
    assert Layout(module, header).size == size


def test_usual_layouts_are_those_of_dpkt() -> None:
    usual = [
        each for module in (links, slow) for each in vars(module).values() if isinstance(each, Layout) and each.usual
    ]
    assert len(usual) == 7
    for layout in usual:
        assert layout.usual == getattr(import_module(f"dpkt.{layout.module}"), layout.header).__hdr_fmt__, layout.header


def test_fields_are_read_in_network_order() -> None:
    assert Layout("udp", "UDP").unpack_from(b"\x00\x35\x9c\x40\x00\x0c\xab\xcd rest") == (53, 40000, 12, 0xABCD)


PROGRAM = """
import sys
import daemon.ingest
from daemon.decode.columns import decode_columns
from daemon.decode.fragments import Fragments
from tests.support.chunks import chunk, every_shape

for name in ("tcp6", "arp", "6in4", "gre"):
    buf, records = chunk([every_shape()[name]])
    decode_columns(buf, records, Fragments())
    print(name, "dpkt" in sys.modules)
"""


def test_dpkt_is_loaded_by_the_first_frame_that_needs_it() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["tcp6", "False", "arp", "False", "6in4", "False", "gre", "True"]
