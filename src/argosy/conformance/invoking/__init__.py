"""What one running endpoint is asked: one after the other, at once, in both directions."""
