"""Recipes that record captures of real programs talking in a lab; see tests/data/README.md."""
