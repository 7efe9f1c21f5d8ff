"""The server inside the image: request -> decode -> predict -> encode -> response."""
