"""What the verbs of `argosy simulate` share, and the longer ones of them."""
