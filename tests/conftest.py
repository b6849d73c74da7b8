from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    max_examples=60,
    deadline=None,  # machines are shared: a slow example is not a bug
    derandomize=True,  # the same run everywhere; `make fuzz` is the place for luck
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("long", max_examples=5000, deadline=None)
settings.load_profile("default")
