"""Says whose a destination is and what it is to this device: dataclasses in, dataclasses out, no SQL."""
