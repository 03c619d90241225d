"""Is everything about a database and its repository as it should be, and if not, what helps? Changes nothing."""
