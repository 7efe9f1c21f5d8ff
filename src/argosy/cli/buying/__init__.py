"""The verbs of buyers."""
