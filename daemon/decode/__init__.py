"""Bytes in, columns and messages out. Pure: no I/O, no clock, no state that outlives a call's arguments."""
