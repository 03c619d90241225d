"""Bytes and back: ids, values, ordered keys, compression. Pure functions; never touches a file."""
