"""A realistic home, made from a seed: for the demo, the bench and tests of whole files.

What the generator claims about itself proves nothing about the decoders, with which it shares no code.
Nothing is ever contacted.
"""

from __future__ import annotations

from appliance.sample.home import write_home

__all__ = ["write_home"]
