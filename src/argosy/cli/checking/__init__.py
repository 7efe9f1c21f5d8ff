"""What `argosy check` is made of: its options, its targets one by one, and what was found of them before."""
