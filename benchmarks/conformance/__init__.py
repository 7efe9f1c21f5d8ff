"""What `argosy check` costs, and whether it is right on clean images when the machine has no time for it."""
