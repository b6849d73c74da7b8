"""What was freed leaves the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Blocks below mmap's threshold, all freed but the last, which lies above them and keeps glibc from giving them back.
SCRIPT = """
import ctypes, re, time
from pathlib import Path
from appliance.heap import Reliever

def held():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)
libc.memset.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
blocks = [libc.malloc(100_000) for _ in range(400)]
for block in blocks:
    libc.memset(block, 1, 100_000)
for block in blocks[:-1]:
    libc.free(block)
before = held()
relieve = Reliever(0.05)
relieve()
relieve()  # is one with the first
until = time.monotonic() + 20
while before - held() <= 30 and time.monotonic() < until:
    time.sleep(0.02)
print(before - held())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells what a process holds")
def test_free_memory_is_given_back() -> None:
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    assert int(said) > 30  # of 40 MB


# What was large is gone as soon as it is free, also the second time; what is much in sum does not wait for a moment.
AT_ONCE = """
import ctypes
from appliance.heap import Reliever, hold_little
from pathlib import Path
import re

def held():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

hold_little()
before = held()
for _ in range(3):
    large = b"x" * (30 << 20)
    del large
large = held() - before
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)
libc.memset.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
relieve = Reliever(3600)
relieve()
blocks = [libc.malloc(100_000) for _ in range(400)]
for block in blocks:
    libc.memset(block, 1, 100_000)
for block in blocks[:-1]:
    libc.free(block)
relieve()
print(large, held() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells what a process holds")
def test_much_does_not_wait() -> None:
    said = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True, check=True).stdout
    large, rest = map(int, said.split())
    assert large < 5
    assert rest < 10  # of 40 MB
