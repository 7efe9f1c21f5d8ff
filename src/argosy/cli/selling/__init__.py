"""The verbs of those who sell, one file each."""
