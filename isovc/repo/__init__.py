"""The repository: store, history and settings as one thing. Knows nothing of live databases or of the terminal."""
