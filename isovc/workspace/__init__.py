"""A live database at a commit: what changed in it, commits of it, and making it another version."""
