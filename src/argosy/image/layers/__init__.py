"""What is in our layers, and how they are made."""
