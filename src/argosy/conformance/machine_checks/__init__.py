"""Checks of the seller's machine, for `argosy doctor`."""
