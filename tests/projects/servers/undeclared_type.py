"""Does not say what its answers are."""

from clean import Server, run


class Undeclared(Server):
    def headers_of(self, status, value):
        pass


run(Undeclared)
