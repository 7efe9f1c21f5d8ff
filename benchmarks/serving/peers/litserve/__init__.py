"""A peer: `server.py` in the environment of `requirements.txt`, started as `peer.toml` says."""
