"""One end of a QUIC connection by aioquic; run by `quic.py` with a Python that has it (the project needs none).

usage: quic_peer.py server ADDRESS PORT CERT KEY [retry]
       quic_peer.py client ADDRESS PORT LOCAL_PORT NAME v1|v2|v1-to-v2 ALPN[,ALPN...]
"""

from __future__ import annotations

import asyncio
import importlib
import socket
import sys
from typing import Any

aio: Any = importlib.import_module("aioquic.asyncio")
configuration: Any = importlib.import_module("aioquic.quic.configuration")
events: Any = importlib.import_module("aioquic.quic.events")
packet: Any = importlib.import_module("aioquic.quic.packet")
h3: Any = importlib.import_module("aioquic.h3.connection")
h3_events: Any = importlib.import_module("aioquic.h3.events")
V1, V2 = packet.QuicProtocolVersion.VERSION_1, packet.QuicProtocolVersion.VERSION_2
VERSIONS = {"v1": (V1, [V1]), "v2": (V2, [V2]), "v1-to-v2": (V1, [V2, V1])}
Protocol: Any = aio.QuicConnectionProtocol


class Answering(Protocol):  # type: ignore[misc]  # a base class that only the recording Python has
    """Answers an HTTP/3 request, and bytes on a stream of any other protocol."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._http: Any = None

    def quic_event_received(self, event: object) -> None:
        if isinstance(event, events.ProtocolNegotiated) and event.alpn_protocol == "h3":
            self._http = h3.H3Connection(self._quic)
        if self._http is not None:
            for told in self._http.handle_event(event):
                if isinstance(told, h3_events.HeadersReceived):
                    self._http.send_headers(told.stream_id, [(b":status", b"200"), (b"content-type", b"text/plain")])
                    self._http.send_data(told.stream_id, b"ok\n", end_stream=True)
        elif isinstance(event, events.StreamDataReceived) and event.end_stream:
            self._quic.send_stream_data(event.stream_id, b"ok\n", end_stream=True)
        self.transmit()


async def serve(address: str, port: int, cert: str, key: str, *, retry: bool) -> None:
    settings = configuration.QuicConfiguration(
        is_client=False, alpn_protocols=["h3", "vendor"], supported_versions=[V2, V1]
    )
    settings.load_cert_chain(cert, key)
    await aio.serve(address, port, configuration=settings, create_protocol=Answering, retry=retry)
    print("serving", flush=True)  # noqa: T201  a program that speaks to its caller
    await asyncio.Event().wait()


async def ask(address: str, port: int, local: int, name: str, version: str, alpn: list[str]) -> None:
    settings = configuration.QuicConfiguration(is_client=True, alpn_protocols=alpn, server_name=name, verify_mode=0)
    settings.original_version, settings.supported_versions = VERSIONS[version]
    async with aio.connect(address, port, configuration=settings, local_port=local) as peer:
        reader, writer = await peer.create_stream()
        writer.write(b"hello")
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 5)


def main(arguments: list[str]) -> None:
    role, address, port, *rest = arguments
    socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    if role == "server":
        asyncio.run(serve(address, int(port), rest[0], rest[1], retry="retry" in rest))
    else:
        asyncio.run(ask(address, int(port), int(rest[0]), rest[1], rest[2], rest[3].split(",")))


if __name__ == "__main__":
    main(sys.argv[1:])
