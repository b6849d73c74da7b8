"""The box: command line, configuration, first boot, and the only wiring."""
