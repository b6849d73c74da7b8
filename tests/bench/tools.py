"""What is compared: one row a tool, with its Debian package, what it gets out of a capture, and how it is called.

Rules: each peer does the most of Homeport's job that it can do in one pass; none is handicapped. `{pcap}` is the
capture, `{scratch}` a folder that is emptied before each run.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

ROOT_ONLY = (
    ("-Z", "root") if os.geteuid() == 0 else ()
)  # tcpdump started by root would give up the right to read the file

TSHARK_FIELDS = (
    "frame.time_epoch", "frame.len", "eth.src", "eth.dst", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport",
    "tcp.dstport", "udp.srcport", "udp.dstport", "dns.qry.name", "dns.a", "dns.aaaa", "dns.cname",
    "tls.handshake.extensions_server_name", "http.host", "_ws.col.Protocol",
)  # fmt: skip
NFSTREAM = (
    "from nfstream import NFStreamer\n"
    "import sys\n"
    "if __name__ == '__main__':\n"
    "    NFStreamer(source=sys.argv[1], statistical_analysis=False, n_meters=1).to_csv(path=sys.argv[2])\n"
)


@dataclass(frozen=True, slots=True)
class Tool:
    """A row of the comparison. `package` is the Debian package, or empty where the tool is not a package."""

    name: str
    extracts: str
    argv: tuple[str, ...]
    package: str = ""
    module: str = ""
    version: tuple[str, ...] = ()

    def installed(self) -> bool:
        """Whether it can be run here."""
        if self.module:
            return importlib.util.find_spec(self.module) is not None
        return shutil.which(self.argv[0]) is not None

    def command(self, pcap: str, scratch: str) -> list[str]:
        """The command for one capture."""
        return [part.replace("{pcap}", pcap).replace("{scratch}", scratch) for part in self.argv]

    def says(self) -> str:
        """The first line in which it states its version, or nothing."""
        if not self.version:
            return ""
        found = subprocess.run(self.version, capture_output=True, text=True, check=False, timeout=60)
        lines = [line.strip() for line in (found.stdout + found.stderr).splitlines()]
        return next((line for line in lines if any(char.isdigit() for char in line)), "")[:80]


HOMEPORT = Tool(
    "homeport import",
    "flows, DNS, names from TLS, QUIC and HTTP, devices, 15-minute traffic; all in SQLite",
    # The same entry as the console script, without relying on it being installed.
    (
        sys.executable, "-c", "from appliance.main import main; main()",
        "import", "{pcap}", "--db", "{scratch}/homeport.db",
    ),
)  # fmt: skip
CONTROL = Tool("cat", "nothing: the cost of reading the file", ("cat", "{pcap}"))
PEERS = (
    Tool(
        "tcpdump -w", "nothing: reads and writes each packet",
        ("tcpdump", *ROOT_ONLY, "-r", "{pcap}", "-w", "/dev/null"),
        "tcpdump", version=("tcpdump", "--version"),
    ),
    Tool(
        "argus", "flow records, no names", ("argus", "-r", "{pcap}", "-w", "{scratch}/argus.out"), "argus-server",
        version=("argus", "-h"),
    ),
    Tool(
        "ndpiReader", "flows, application, TLS names, QUIC names in part; CSV",
        ("ndpiReader", "-q", "-i", "{pcap}", "-C", "{scratch}/ndpi.csv"), "libndpi-bin", version=("ndpiReader", "-h"),
    ),
    Tool(
        "nfstream", "flows, TLS and QUIC names; CSV",
        (sys.executable, "-c", NFSTREAM, "{pcap}", "{scratch}/nfstream.csv"),
        module="nfstream",
    ),
    Tool(
        "tshark -T fields", "columns of every packet, DNS, TLS and QUIC names; text",
        ("tshark", "-n", "-r", "{pcap}", "-T", "fields", *(part for field in TSHARK_FIELDS for part in ("-e", field))),
        "tshark", version=("tshark", "--version"),
    ),
)  # fmt: skip
TOOLS = tuple(tool.package for tool in PEERS if tool.package)  # what `make bench-tools` installs
