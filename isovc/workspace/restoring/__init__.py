"""Bringing back what a database held at a moment: found, proven in a file of its own, and only then put back."""
