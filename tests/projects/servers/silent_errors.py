"""Tells nobody what went wrong."""

from clean import Server, run


class Silent(Server):
    def log(self, status, value):
        pass


run(Silent)
