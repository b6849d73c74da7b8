"""Shows what the daemon knows: pages and API on the LAN."""
