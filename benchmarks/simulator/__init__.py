"""What the simulator adds to a call, and how many it carries."""
