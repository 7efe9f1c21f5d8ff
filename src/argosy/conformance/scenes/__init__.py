"""What was observed, one frozen value a scene; the checks judge these."""
