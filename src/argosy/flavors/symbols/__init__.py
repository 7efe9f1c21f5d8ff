"""What MXNet's files say of a model."""
