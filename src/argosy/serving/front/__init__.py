"""What runs in the front process: it owns the sockets and never imports the user's code."""
