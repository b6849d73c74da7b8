"""`python -m tests.support.record [NAME...] --out DIR`.

Record captures and write what must be found in them (needs root).
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.support.lab import Lab, missing
from tests.support.record import (
    discovery,
    formats,
    fragments,
    lives,
    names,
    quic,
    segments,
    services,
    tls,
    tshark,
    tunnels,
)
from tests.support.record.studio import Recipe, Take

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for module in (names, tls, segments, lives, quic, discovery, tunnels, fragments, services, formats)
    for recipe in module.RECIPES
}
LIMIT = 110_000  # bytes of one capture


def main() -> int:
    """Record the named recipes, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RECIPES))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    failed = 0
    for name in arguments.names or RECIPES:
        recipe = RECIPES[name]
        if absent := missing([*recipe.tools, "tshark"]):
            print(f"{name}: not recorded, needs {', '.join(absent)}", file=sys.stderr)  # noqa: T201  a program that speaks to its caller
            failed += 1
            continue
        print(record(recipe, arguments.out))  # noqa: T201  a program that speaks to its caller
    return 1 if failed else 0


def record(recipe: Recipe, out: Path) -> str:
    """Record one capture into `out`, with its facts beside it; a line that says what came out."""
    path = out / f"{recipe.name}{recipe.suffix}"
    with Lab(configure_clients=recipe.configure_clients) as lab:
        take = Take(lab, lab.folder / path.name)
        recipe.run(take)
        compared = tshark.confirm(take)
        flows = tshark.counted(take.path, take.conversations, take.tshark_options)
        packets, size = tshark.totals(take.path)
        data = take.path.read_bytes()
        variants = {}
        for ending in recipe.variants:
            formats.VARIANTS[ending](take.path, lab.folder / "variant")
            variants[f"{recipe.name}{ending}"] = (lab.folder / "variant").read_bytes()
    if len(data) > LIMIT:
        raise SystemExit(f"{recipe.name}: {len(data)} bytes, more than {LIMIT}")
    facts = {
        "capture": path.name,
        "same_packets": sorted(variants),
        "recorded_with": versions(("tcpdump", "tshark", *recipe.tools)),
        "confirmed_by_tshark": compared,
        "missed_by_tshark": take.missed,
        "packets": packets,
        "bytes": size,
        "facts": [asdict(e) for e in [*take.expectations, *flows]],
    }
    for name, content in {path.name: data, **variants}.items():
        (out / name).write_bytes(content)
    path.with_suffix(".json").write_text(compact(facts))
    count = len(take.expectations) + len(flows)
    return f"{path.name}: {packets} packets, {len(data)} bytes, {count} expectations, tshark agrees on {compared}"


def compact(facts: dict[str, object]) -> str:
    """JSON with one row a line, so that a difference can be read."""
    text = json.dumps(facts, indent=1, ensure_ascii=True)
    return re.sub(r"\[\n\s+([^\[\]{}]*?)\n\s+\]", lambda m: "[" + re.sub(r"\n\s+", " ", m[1]) + "]", text) + "\n"


_VERSION = re.compile(r"\d+[.:]\d[\w.:+~-]*")


def versions(programs: tuple[str, ...]) -> dict[str, str]:
    """Program -> Debian package version (the programs' own words differ too much)."""
    found = {"kernel": re.split(r"[-+]", platform.release())[0], "python": platform.python_version()}
    for program in programs:
        where = subprocess.run(["which", program], capture_output=True, text=True, check=False).stdout.strip()
        owner = subprocess.run(
            ["dpkg", "-S", str(Path(where).resolve()), where], capture_output=True, text=True, check=False
        )
        package = owner.stdout.partition(":")[0]
        told = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False
        )
        found[program] = told.stdout or "not a Debian package"
    return found


if __name__ == "__main__":
    raise SystemExit(main())
