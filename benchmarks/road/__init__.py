"""What the whole road costs."""
