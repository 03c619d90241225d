"""One version of a whole database: written, read, compared and merged. Knows nothing of refs or of where it is
checked out."""
