"""Images looked at: what is in one and why it is large, and what two of them differ in."""
