"""Three versions into one: definitions part by part, rows cell by cell, and what a person must decide. Trees only: no
live database, no branches."""
