"""Builds the extension modules, the tables of hardware makers and of clouds, and the quick form of the organisation
files: as a hook of hatchling for wheels and editable installs, or by itself in this tree.

Rule 1: each module has a twin in Python that gives the same results. Where one cannot be compiled, a line says what that
        means, and everything goes on.
Rule 2: modules keep to the stable ABI, so one build serves Python 3.11 and every later one.
Rule 3: the file is replaced in one step, so that a process that has loaded the old one goes on with it; one that can no
        longer be built is removed, so that nobody runs yesterday's.
Rule 4: the quick form of the organisation files says from which files it was made; whoever edits them need not build.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
MODULES = {  # module -> its source; headers lie beside it
    "daemon.flow._core": "daemon/flow/_core.c",
    "daemon.decode._walk": "daemon/decode/_walk.c",
    "daemon.decode._dns": "daemon/decode/_dns.c",
    "daemon.decode._hello": "daemon/decode/_hello.c",
    "daemon.decode._quic": "daemon/decode/_quic.c",
    "daemon.ingest._mapped": "daemon/ingest/_mapped.c",
    "daemon.store._rows": "daemon/store/_rows.c",
    "daemon.store._tables": "daemon/store/_tables.c",
}
TABLES = {  # table -> what makes it
    "daemon/identify/oui.bin": "daemon/identify/oui_build.py",
    "daemon/classify/clouds.bin": "appliance/data/cloud_build.py",
}
FLAGS = ("-O2", "-std=c11", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra")
SUFFIX = ".abi3.so"
ORGANISATIONS = "daemon/classify/organisations"
COMPACT = "organisations.json"  # as daemon.classify.compact calls it


class NativeHook(BuildHookInterface[Any]):
    """Adds the modules to a wheel, whose tag then names the platform; an editable install finds them in the tree."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files."""
        del version  # standard or editable: the same
        if self.target_name != "wheel":
            return
        build_data["artifacts"] += [f"/{path}" for path in build_tables(Path(self.root))]
        build_data["artifacts"] += [f"/{path}" for path in build_organisations(Path(self.root))]
        built = build_all(Path(self.root))
        if built:
            build_data["artifacts"] += [f"/{path}" for path in built]
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"cp311-abi3-{platform}"


def build_all(root: Path) -> list[str]:
    """Build every module in place; the paths of those that are there now, relative to `root`."""
    built = []
    for module, source in MODULES.items():
        if not (root / source).exists():
            continue
        target = source.removesuffix(".c") + SUFFIX
        problem = _build(root / source, root / target)
        if problem is None:
            built.append(target)
        else:
            (root / target).unlink(missing_ok=True)
            print(f"homeport: {module} was not compiled ({problem}); imports are slower, with the same results",
                  file=sys.stderr)  # fmt: skip
    return built


def build_organisations(root: Path) -> list[str]:
    """Make the quick form of the organisation files; its path relative to `root`, nothing where it could not be made."""
    files = {path.name: path.read_bytes() for path in (root / ORGANISATIONS).glob("*.toml")}
    target = root / ORGANISATIONS / COMPACT
    sys.path.insert(0, str(root))  # nothing of ours is installed yet, and this part needs nothing else
    try:
        quick = importlib.import_module("daemon.classify.quick")
    finally:
        sys.path.remove(str(root))
    made = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        made.write_bytes(quick.pack(files))
        made.replace(target)
    except (OSError, ValueError) as error:
        target.unlink(missing_ok=True)
        print(f"homeport: {target.name} was not made ({error}); classification starts slower, with the same results",
              file=sys.stderr)  # fmt: skip
        return []
    finally:
        made.unlink(missing_ok=True)
    return [str(target.relative_to(root))]


def build_tables(root: Path) -> list[str]:
    """Make every table in place; the paths of those that are there now. Each is made by a file of its own in the tree."""
    for maker in TABLES.values():
        spec = importlib.util.spec_from_file_location(Path(maker).stem, root / maker)
        if spec is None or spec.loader is None:
            continue
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        problem = module.build(root)
        if problem:
            print(f"homeport: {module.TARGET} was not made anew ({problem}); {module.WITHOUT}", file=sys.stderr)
    return [target for target in TABLES if (root / target).exists()]


def _build(source: Path, target: Path) -> str | None:
    """Compile one module; why that failed, None where it did not."""
    include = Path(sysconfig.get_path("include"))
    if not (include / "Python.h").exists():
        return f"no {include / 'Python.h'}: Debian has it in python3-dev"
    made = target.with_name(f".{target.name}.{os.getpid()}")
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    command = [
        *compiler,
        *shlex.split(os.environ.get("CFLAGS", "")),
        *FLAGS,
        f"-I{include}",
        str(source),
        "-o",
        str(made),
    ]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            return f"{compiler[0]}: " + next((line for line in run.stderr.splitlines() if "error" in line), "failed")
        if run.stderr:
            print(run.stderr, file=sys.stderr)
        made.replace(target)
    except OSError as error:
        return f"{compiler[0]}: {error.strerror}"
    finally:
        made.unlink(missing_ok=True)
    return None


if __name__ == "__main__":
    print("built:", ", ".join([*build_all(ROOT), *build_organisations(ROOT)]) or "nothing")
    print("made:", ", ".join(build_tables(ROOT)) or "nothing")
