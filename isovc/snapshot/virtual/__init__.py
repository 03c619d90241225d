"""Virtual tables (FTS, R-Tree) in versions: what they hold, and their shadow tables made anew of it."""
