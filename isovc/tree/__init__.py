"""Sorted maps of rows with one root per content. Knows nothing of SQL, files or commits."""
