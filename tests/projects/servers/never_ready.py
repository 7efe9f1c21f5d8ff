"""Listens, but its model is never loaded."""

from clean import Server, run

run(Server, load=lambda server: None)
