"""Says which device an address or MAC is, from the hints the device itself gave: dataclasses in, dataclasses out."""
