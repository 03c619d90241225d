"""The operation log as evidence: proving that it is whole, choosing from it, handing it to others."""
