"""Packets to conversations, and what was said at their start: flows, hellos, DNS messages, hints."""
