"""What goes with an image: no secret in it, a list of what is in it and under which licence, where it came from."""
