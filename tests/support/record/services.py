"""Recipe of other protocols, each by a real program on both ends."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.lab import CLIENT_V4, UPSTREAM_V4, LabError, addresses, wait_until
from tests.support.record.names import API, dnsmasq
from tests.support.record.studio import Recipe, Take, certificate

ONE = UPSTREAM_V4[0]
UDP = socket.SOCK_DGRAM


def _ntp(take: Take) -> None:
    config = take.lab.folder / "chrony.conf"
    config.write_text(f"local stratum 2\nallow all\nbindaddress {ONE}\ncmdport 0\nport 123\n")
    take.lab.upstream.serve(123, "chronyd", "-x", "-d", "-u", "root", "-f", str(config), kind=UDP)
    take.lab.client.run("ntpdig", "-t", "3", ONE, check=False)
    take.expect(
        "flows", "protocol server_address server_port service encrypted", [["udp", ONE, 123, "ntp", "no"]], match="some"
    )


def _ssh(take: Take) -> None:
    """sshd on a port of its own choosing, so that only the banner says what it is."""
    folder = take.lab.folder
    key, config = folder / "host_key", folder / "sshd_config"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(key)], check=True)
    config.write_text(f"Port 2022\nListenAddress {ONE}\nHostKey {key}\nPidFile none\nUsePAM no\n")
    Path("/run/sshd").mkdir(exist_ok=True)
    server = take.lab.upstream.start("/usr/sbin/sshd", "-D", "-e", "-f", str(config))
    wait_until(lambda: "Server listening" in take.lab.upstream.output(server), "sshd")
    take.lab.client.run("ssh-keyscan", "-t", "ed25519", "-p", "2022", ONE)
    take.expect(
        "flows",
        "protocol server_address server_port service encrypted",
        [["tcp", ONE, 2022, "ssh", "yes"]],
        match="some",
    )


def _mqtt(take: Take) -> None:
    """mosquitto on its port and on another."""
    config = take.lab.folder / "mosquitto.conf"
    config.write_text(
        f"listener 1883 {ONE}\nlistener 11883 {ONE}\nallow_anonymous true\nuser root\npersistence false\n"
    )
    take.lab.upstream.serve(11883, "mosquitto", "-c", str(config))
    for port in (1883, 11883):
        take.lab.client.run(
            "mosquitto_pub", "-h", ONE, "-p", str(port), "-i", "lamp-42", "-t", "home/lamp", "-m", "on", "-q", "1"
        )
        take.expect(
            "flows",
            "protocol server_address server_port service encrypted",
            [["tcp", ONE, port, "mqtt", "no"]],
            match="some",
        )


def _stun(take: Take) -> None:
    server = take.lab.upstream.start(
        "turnserver",
        "-n",
        "-L",
        ONE,
        "-X",
        ONE,
        "--no-tls",
        "--no-dtls",
        "--no-cli",
        "-p",
        "3478",
        "--db",
        str(take.lab.folder / "turn.db"),
        "--pidfile",
        str(take.lab.folder / "turn.pid"),
        "--log-file",
        "stdout",
        "--lt-cred-mech",
        "-u",
        "tv:secret",
        "-r",
        "vendor.example",
        "--allow-loopback-peers",
        "--relay-threads",
        "1",
    )
    wait_until(lambda: take.lab.upstream.listening(3478, kind=UDP) or server.poll() is not None, "turnserver")
    take.lab.client.run("turnutils_stunclient", "-p", "3478", ONE)
    take.expect("flows", "protocol server_address server_port service", [["udp", ONE, 3478, "stun"]], match="some")


def _dot(take: Take) -> None:
    """kdig asks unbound by TLS: what is asked cannot be seen, that it is asked can."""
    folder = take.lab.folder
    cert, key = certificate(folder, "dns.vendor.example")
    config = folder / "unbound.conf"
    config.write_text(
        f"server:\n interface: {ONE}@853\n tls-port: 853\n tls-service-key: {key}\n tls-service-pem: {cert}\n"
        " access-control: 0.0.0.0/0 allow\n"
        f' username: ""\n chroot: ""\n directory: "{folder}"\n pidfile: ""\n use-syslog: no\n do-daemonize: '
        f"no\n num-threads: 1\n"
        f' local-zone: "example." static\n local-data: "{API}. A 203.0.113.10"\n module-config: "iterator"\n'
        "remote-control:\n control-enable: no\n"
    )
    take.lab.upstream.serve(853, "unbound", "-d", "-c", str(config))
    told = take.lab.client.run("kdig", f"@{ONE}", "+tls", "+tls-sni=dns.vendor.example", "+retry=0", API, "A")
    if "203.0.113.10" not in told:
        raise LabError(told)
    take.expect(
        "hellos", "server_port name", [[853, "dns.vendor.example"]], where={"source": "tls", "server_port": 853}
    )
    take.expect(
        "flows",
        "protocol server_address server_port service encrypted",
        [["tcp", ONE, 853, "dot", "yes"]],
        match="some",
    )


def _dtls(take: Take) -> None:
    cert, key = certificate(take.lab.folder, "api.vendor.example")
    take.lab.upstream.serve(
        4444,
        "openssl",
        "s_server",
        "-dtls1_2",
        "-accept",
        f"{ONE}:4444",
        "-cert",
        cert,
        "-key",
        key,
        "-quiet",
        kind=UDP,
    )
    client = take.lab.client.start(
        "sh",
        "-c",
        f"(sleep 0.5; echo hello; sleep 0.3) | openssl s_client -dtls1_2 -connect {ONE}:4444 -servername "
        f"dtls.vendor.example -bind "
        f"{CLIENT_V4}:48444",
    )
    client.wait(10)
    take.expect(
        "flows",
        "protocol client_port server_address server_port service encrypted",
        [["udp", 48444, ONE, 4444, "dtls", "yes"]],
        match="some",
    )
    name = "dtls.vendor.example"
    take.expect("hellos", "client_port name", [[48444, name]], where={"source": "tls", "server_port": 4444})


def _wireguard(take: Take) -> None:
    """Two wireguard-go; pings inside."""
    lab = take.lab
    keys = {}
    for name in ("client", "server"):
        secret = subprocess.run(["wg", "genkey"], check=True, capture_output=True, text=True).stdout.strip()
        public = subprocess.run(
            ["wg", "pubkey"], check=True, capture_output=True, text=True, input=secret
        ).stdout.strip()
        (lab.folder / f"wg-{name}").write_text(secret)
        keys[name] = public
    for machine, me, peer, address in (
        (lab.upstream, "server", "client", "10.43.0.1"),
        (lab.client, "client", "server", "10.43.0.2"),
    ):
        # its control socket has one name in all namespaces
        device = f"hpwg{'s' if me == 'server' else 'c'}{os.getpid() % 10000}"
        machine.start("wireguard-go", "-f", device)
        wait_until(lambda device=device: Path(f"/run/wireguard/{device}.sock").exists(), "wireguard-go")  # type: ignore[misc]  # a default binds now
        port = ["listen-port", "51820"] if me == "server" else ["listen-port", "48820"]
        end = ["endpoint", f"{ONE}:51820"] if me == "client" else []
        machine.run(
            "wg",
            "set",
            device,
            *port,
            "private-key",
            str(lab.folder / f"wg-{me}"),
            "peer",
            keys[peer],
            *end,
            "allowed-ips",
            "10.43.0.0/24",
        )
        addresses(machine, device, f"{address}/24")
        machine.run("ip", "link", "set", device, "up")
    lab.client.run("ping", "-c", "2", "-i", "0.2", "-W", "3", "10.43.0.1")
    take.flow("udp", CLIENT_V4, 48820, ONE, 51820, service="wireguard")
    take.expect("flows", "server_port service encrypted", [[51820, "wireguard", "yes"]], match="some")


PARTS: tuple[Callable[[Take], None], ...] = (_ntp, _ssh, _mqtt, _stun, _dot, _dtls, _wireguard)


def _services(take: Take) -> None:
    dnsmasq(take.lab.ap, "interface=wlan0", "bind-dynamic")
    with take.rolling():
        for part in PARTS:
            part(take)
            time.sleep(0.05)


RECIPES = (
    Recipe(
        "services",
        "NTP (ntpdig, chronyd), SSH on port 2022 (ssh-keyscan, sshd), MQTT on 1883 and 11883 (mosquitto), STUN "
        "(coturn), DNS over TLS "
        "(kdig, unbound), DTLS (openssl), WireGuard (wireguard-go).",
        _services,
        (
            "chronyd",
            "ntpdig",
            "sshd",
            "ssh-keyscan",
            "mosquitto",
            "mosquitto_pub",
            "turnserver",
            "turnutils_stunclient",
            "unbound",
            "kdig",
            "openssl",
            "wg",
            "wireguard-go",
        ),
    ),
)
