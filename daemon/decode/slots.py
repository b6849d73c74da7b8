"""How time is cut for sums: into slots of a quarter of an hour, UTC. Apart, so that who only counts loads nothing else."""

from __future__ import annotations

SLOT_US = 900_000_000
