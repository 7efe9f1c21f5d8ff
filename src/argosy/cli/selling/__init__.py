"""The verbs of sellers."""
