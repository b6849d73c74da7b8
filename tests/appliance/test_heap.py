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
