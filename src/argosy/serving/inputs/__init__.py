"""What the annotations of `predict` ask for, and how a decoded body becomes that."""
