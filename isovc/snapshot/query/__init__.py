"""One version asked in SQL: its tables read from the trees where a query wants little of them, filled into files where
it wants much. Knows nothing of revisions."""
