"""What instances run beside a single container: many models in one, several containers, inference components."""
