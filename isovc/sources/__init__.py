"""Live databases that other programs use. Knows nothing of versions, trees or stores."""
