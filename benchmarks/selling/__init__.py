"""The seller's plans."""
