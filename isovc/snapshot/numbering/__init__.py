"""Rows that two branches gave the same number: which numbers they get, and what else points to them."""
