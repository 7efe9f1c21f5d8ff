"""A running inference image, behind one protocol: an engine's container, an unpacked image, or a plain process."""
