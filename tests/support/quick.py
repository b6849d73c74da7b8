"""A `homeport` that starts in an instant: a server that has imported everything forks for each command line it is sent.

usage: python -m tests.support.quick serve SOCKET          says `ready` when it listens; ends with its standard input
       python -S -E tests/support/quick.py SOCKET ARG...   one command line; exits with its code

Rule: the child that runs the command writes to the client's own standard output and error, and leaves nothing behind in
the server, so every command begins as afresh as a new process.
"""

import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module


def client(path: str, arguments: list[str]) -> int:
    """Have a command line run; its exit code."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        words = "\0".join(arguments).encode()
        socket.send_fds(connection, [len(words).to_bytes(4, "big") + words], [1, 2])
        return connection.recv(1)[0]


def serve(path: str) -> None:
    """Fork for every client until standard input ends."""
    run = import_module("appliance.main").run
    for module in (
        "appliance.cli.import",
        "daemon.ingest.importer",
        "sqlite_utils",
        "rich.progress",
        "daemon.classify.classifier",
    ):
        import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for
    with import_module("tests.support.once").read_once():
        import_module("daemon.ingest.knowledge").Knowledge().organisations_table  # noqa: B018  read before the forks
        import_module("daemon.classify.names").public_suffixes()
        _answer(path, run)


def _answer(path: str, run: Callable[[list[str]], int]) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    waiting.register(sys.stdin, selectors.EVENT_READ)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while all(key.fileobj is listener for key, _ in waiting.select()):
        connection, _ = listener.accept()
        if os.fork() == 0:
            message, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 2)
            for target, descriptor in enumerate(descriptors, 1):
                os.dup2(descriptor, target)
            code = run(message[4:].decode().split("\0"))
            sys.stdout.flush()
            sys.stderr.flush()
            connection.sendall(bytes([code]))
            os._exit(0)
        connection.close()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(client(sys.argv[1], sys.argv[2:]))
