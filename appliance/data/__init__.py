"""Databases of addresses: opening them for whoever asks, fetching newer ones, and building them from packages."""
