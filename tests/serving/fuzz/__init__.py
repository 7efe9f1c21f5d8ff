"""Raw bytes that are nearly HTTP against a running server; `scripts/fuzz` runs as many as one likes."""
