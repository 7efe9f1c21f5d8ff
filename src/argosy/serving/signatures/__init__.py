"""What a loaded model says of its inputs -> how bodies become them."""
