"""One file a verb: `homeport NAME` is the click command `command` in `appliance/cli/name.py`."""
