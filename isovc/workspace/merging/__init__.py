"""Bringing changes of other versions into a working copy: merge, revert, cherry-pick, rebase, stash pop. What is
contested waits until somebody settles it."""
