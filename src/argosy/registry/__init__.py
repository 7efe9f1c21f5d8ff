"""Image <-> where images live: an OCI layout, a docker archive, a local engine, a registry."""
