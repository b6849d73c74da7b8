"""A container with a real systemd in it, booted by systemd-nspawn, and Homeport installed as on a box.

Rule 1: what it boots is never written to: a container writes into an overlay that goes with it. That is this machine's own
        root folder (`OWN`: no download, and a second to boot; nothing of it is started but systemd itself), or a small
        Debian that is made once (`tree`).
Rule 2: the container has a network of its own, without a way out.
Rule 3: leaving the container ends everything in it, whatever happened.

Units, accounts and folders come from `deploy/`, and are set up by the container's own systemd-sysusers and
systemd-tmpfiles when it boots. /opt/homeport is put together from this virtual environment instead of being installed:
the same code, without a download.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import site
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support.lab import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
OWN = Path("/")  # as a base: this machine's own root folder
NEEDED = ("systemd-nspawn", "nsenter", "ip")
NEEDED_FOR_TREE = ("mmdebstrap", "apt-get")
_SYSTEMD = Path("/usr/lib/systemd/systemd")
PACKAGES = "systemd,systemd-sysv,dbus,iproute2,python3,python3-systemd"
_WITHOUT = [
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale", "man", "info")),
    "--dpkgopt=force-unsafe-io",  # a tree that is lost in a power cut is made again
    '--aptopt=Acquire::Languages "none"',
]
_OWN_PYTHON = Path("/opt/python")  # where this interpreter appears, if it is not the distribution's
_LAUNCHER = """#!/bin/sh
export PYTHONPATH=/opt/homeport/src:/opt/homeport/site:/opt/homeport/extra {library}
exec {python} -s -P -c 'from appliance.main import main; main()' "$@"
"""


class ContainerError(RuntimeError):
    """The tree could not be made, the container did not boot, or a program in it failed."""


def missing(base: Path = OWN) -> list[str]:
    """What keeps a container from being booted here: programs not installed, or `root`."""
    wanted = NEEDED if base == OWN else (*NEEDED, *NEEDED_FOR_TREE)
    absent = [program for program in wanted if shutil.which(program) is None]
    if base == OWN and not _SYSTEMD.exists():
        absent.append("systemd")
    return absent if os.geteuid() == 0 else ["root", *absent]


def tree(folder: Path) -> Path:
    """The tree in `folder`, made at the first call of all processes of a session (about a minute). ContainerError."""
    folder.mkdir(parents=True, exist_ok=True)
    place, mark = folder / "tree", folder / "tree.made"
    with (folder / "tree.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(place, ignore_errors=True)
            _make(place)
            mark.touch()
    return place


def _make(place: Path) -> None:
    sources = _apt_sources()
    codename = sources[0].split()[-2]
    done = subprocess.run(
        [
            "mmdebstrap",
            "--variant=minbase",
            "--mode=root",
            f"--include={PACKAGES}",
            *_WITHOUT,
            codename,
            str(place),
            "-",
        ],
        input="\n".join(sources) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode:
        raise ContainerError(f"mmdebstrap: {done.stderr[-800:]}")


def _apt_sources() -> list[str]:
    """This machine's own Debian archives, as lines of sources.list; the main one first."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split("\n")
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    codename = release.get("VERSION_CODENAME", "").strip('"')
    wanted = (codename, f"{codename}-security")
    lines = [f"deb {line}" for line in listed if line.endswith(" main") and line.split()[1] in wanted]
    if not lines:
        raise ContainerError(f"apt knows no archive of {codename or 'this system'}; is it Debian?")
    return sorted(set(lines), key=lambda line: line.split()[-2])


class Container:
    """A booted container, as a context manager. `folder` is a scratch directory."""

    def __init__(self, base: Path, folder: Path) -> None:
        self._base = base
        self._folder = folder
        self._name = f"hp-box-{os.getpid()}"
        self._log = folder / "boot.log"
        self._overlay = folder / "own"
        self._cgroup = _memory_cgroup(self._name)

    def __enter__(self) -> Self:
        try:
            return self._boot()
        except BaseException:
            self._unmount()
            raise

    def _boot(self) -> Self:
        program = self._folder / "bin"
        program.mkdir()
        program.chmod(0o755)  # whatever the umask: the users in the container are others
        _launcher(program / "homeport")
        own = self._base == OWN
        command = [
            *("systemd-nspawn", "--quiet", f"--directory={self._own_root() if own else self._base}"),
            *(() if own else ("--volatile=overlay",)),
            *("--boot", "--register=no", "--keep-unit", "--private-network", f"--machine={self._name}"),
            *("--console=pipe", *(f"--bind-ro={there}:{here}" for there, here in _mounts(program))),
            "systemd.unit=basic.target",  # what this machine serves is not started in the container
        ]
        join = f'echo $$ > "{self._cgroup}/cgroup.procs"; ' if self._cgroup else ""
        with self._log.open("wb") as log:
            self._nspawn = subprocess.Popen(
                ["sh", "-c", join + 'exec "$@"', "sh", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            wait_until(self._up, "the container's systemd", 60)
            self.memory_limits = self._take_memory_controller()
            self.journal_fields = self._take_systemd_python()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._nspawn.send_signal(signal.SIGTERM)  # an orderly shutdown
        try:
            self._nspawn.wait(20)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait(20)
        if self._cgroup:
            _remove_cgroups(self._cgroup)
        self._unmount()

    def _unmount(self) -> None:
        for place in (self._overlay / "root", self._overlay):
            if place.is_mount():
                subprocess.run(["umount", "-l", str(place)], check=False)

    def _own_root(self) -> Path:
        """This machine's root folder under an overlay in memory, without what it would start and mount."""
        place = self._overlay
        layers = f"lowerdir={OWN},upperdir={place}/upper,workdir={place}/work"
        place.mkdir()
        _mount("-t", "tmpfs", "-o", "size=256m", "tmpfs", str(place))
        for name in ("upper", "work", "root"):
            (place / name).mkdir()
        _mount("-t", "overlay", "-o", layers, "overlay", str(place / "root"))
        etc = place / "root" / "etc"
        shutil.rmtree(etc / "systemd" / "system", ignore_errors=True)
        (etc / "systemd" / "system").mkdir(parents=True)
        (etc / "fstab").write_text("")
        (etc / "machine-id").write_text("")
        return place / "root"

    def run(self, *args: str, check: bool = True, text: str | None = None, timeout: float = 60) -> str:
        """Run a program as root in the container; its standard output. ContainerError if it fails and `check`."""
        done = subprocess.run(
            ["nsenter", "-t", str(self._leader()), "-a", *args],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            errors="replace",
        )
        if check and done.returncode:
            raise ContainerError(f"{' '.join(args)}: exit {done.returncode}: {(done.stderr + done.stdout)[-1500:]}")
        return done.stdout

    def python(self, program: str, *args: str) -> str:
        """Run a program in the distribution's Python, as root, with nothing of Homeport."""
        return self.run("python3", "-", *args, text=program)

    def write(self, path: str, content: str) -> None:
        """Make a file, and the folder for it."""
        self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat > "$1"', "sh", path, text=content)

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def journal(self, unit: str) -> str:
        """What a unit has said."""
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit)

    def wait_for(self, unit: str, name: str, value: str, seconds: float = 30) -> None:
        """Wait until a property of a unit has a value; the error shows what the unit said."""
        deadline = time.monotonic() + seconds
        while self.show(unit, name) != value:
            if time.monotonic() > deadline:
                raise ContainerError(f"{unit}: {name} is {self.show(unit, name)}, not {value}\n{self.journal(unit)}")
            time.sleep(0.1)

    def _leader(self) -> int:
        """The container's PID 1, as this machine counts."""
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        if not children:
            raise ContainerError(f"the container is not there: {self._log.read_text(errors='replace')[-1500:]}")
        return int(children[0])

    def _up(self) -> bool:
        if self._nspawn.poll() is not None:
            raise ContainerError(f"systemd-nspawn ended: {self._log.read_text(errors='replace')[-1500:]}")
        try:
            return self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")
        except ContainerError:
            return False

    def _take_memory_controller(self) -> bool:
        """Let the container's systemd limit memory, where this kernel allows it."""
        if self._cgroup is None:
            controllers = self.run("cat", "/sys/fs/cgroup/cgroup.controllers", check=False)
            return "memory" in controllers.split()
        self.run("mount", "-o", "remount,bind,rw", "/sys/fs/cgroup/memory")
        self.run("systemctl", "daemon-reexec")
        wait_until(self._up, "the container's systemd", 20)
        return True

    def _take_systemd_python(self) -> bool:
        """Let Homeport use the distribution's systemd-python, where it is made for a Python like ours."""
        theirs = self.run("python3", "-c", "import sys; print(*sys.version_info[:2])").split()
        there = Path("/usr/lib/python3/dist-packages/systemd")
        if theirs != [str(part) for part in sys.version_info[:2]] or not self.run("find", str(there), check=False):
            return False
        self.run("mkdir", "/opt/homeport/extra")
        self.run("ln", "-s", "/usr/lib/python3/dist-packages/systemd", "/opt/homeport/extra/systemd")
        return True


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ContainerError(f"mount {' '.join(arguments)}: {done.stderr.strip()}")


def _mounts(program: Path) -> Iterator[tuple[Path, str]]:
    yield program, "/opt/homeport/bin"
    yield Path(site.getsitepackages()[0]), "/opt/homeport/site"
    for room in ("appliance", "daemon", "web"):
        yield ROOT / room, f"/opt/homeport/src/{room}"
    if _brings_python():
        yield Path(sys.base_prefix), str(_OWN_PYTHON)
    for kind, target in (("systemd", "systemd/system"), ("sysusers.d", "sysusers.d"), ("tmpfiles.d", "tmpfiles.d")):
        for file in sorted((ROOT / "deploy" / kind).iterdir()):
            yield file, f"/usr/lib/{target}/{file.name}"
    yield ROOT / "tests" / "data", "/opt/homeport/recorded"


def _brings_python() -> bool:
    return Path(sys.base_prefix) != Path("/usr")


def _launcher(place: Path) -> None:
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = _brings_python()
    place.write_text(
        _LAUNCHER.format(
            library=f"LD_LIBRARY_PATH={_OWN_PYTHON}/lib" if own else "",
            python=f"{_OWN_PYTHON}/bin/{name}" if own else name,
        )
    )
    place.chmod(0o755)


def _memory_cgroup(name: str) -> Path | None:
    """A group of our own in the old memory hierarchy, where that is in use and can be written to."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            group = Path("/sys/fs/cgroup/memory") / path.lstrip("/") / name
            try:
                group.mkdir()
            except OSError:
                return None
            return group
    return None


def _remove_cgroups(group: Path) -> None:
    for folder in sorted(group.rglob("*/"), key=lambda path: -len(path.parts)):
        if folder.is_dir():
            folder.rmdir()
    group.rmdir()
