"""Another filter for a recording that runs, without a moment in which there is none, or one that lets nothing through.

Rule 1: the kernel takes the new program in the place of the old one in one step (socket(7), SO_ATTACH_FILTER). libpcap
        sets one that refuses everything in between; a process that is interrupted just then loses packets, and no counter
        tells.
Rule 2: the program is what libpcap makes of the expression for this very interface (how VLAN tags are read depends on
        it): a second handle is opened for a moment, given the expression, and asked what the kernel got.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from typing import Any

_GET_FILTER = _ATTACH_FILTER = 26  # SO_GET_FILTER and SO_ATTACH_FILTER, the same number for both ways
_INSTRUCTION = 8  # bytes of struct sock_filter
_MOST = 4096  # instructions of a program (BPF_MAXINSNS)


def program_of(handle: Any) -> bytes | None:  # noqa: ANN401 - pcapy has no types
    """The instructions that the kernel runs for a handle; None where it runs none (they were too many for it)."""
    buffer = ctypes.create_string_buffer(_MOST * _INSTRUCTION)
    number = ctypes.c_uint(_MOST)  # not bytes: this one option counts instructions
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.getsockopt(handle.getfd(), socket.SOL_SOCKET, _GET_FILTER, buffer, ctypes.byref(number))
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return buffer.raw[: number.value * _INSTRUCTION] or None


def attach(descriptor: int, program: bytes) -> None:
    """Let the kernel run these instructions for a socket from the next packet on. Raises OSError."""
    held = ctypes.create_string_buffer(program, len(program))
    asked = struct.pack("@HP", len(program) // _INSTRUCTION, ctypes.addressof(held))  # struct sock_fprog
    with socket.socket(fileno=os.dup(descriptor)) as ours:
        ours.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, asked)
