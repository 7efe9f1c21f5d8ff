"""What the server costs and gives."""
