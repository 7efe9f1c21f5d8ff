"""What the servers serve: models and bodies, made when the benchmark first runs."""
