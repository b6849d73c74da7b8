"""Which device is this? Dataclasses in, dataclasses out, no SQL."""
