"""The box: command line, configuration, first boot, and the only wiring."""

from __future__ import annotations

__version__ = "0.1.0"  # read by pyproject.toml, so that there is one place to change
