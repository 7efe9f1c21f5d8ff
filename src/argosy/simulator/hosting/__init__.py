"""What stands behind an endpoint's name: variants -> instances -> containers."""
