"""Drivers that fail in a known way, to prove that the harness notices, names and blames what it should."""
