"""Finishes what is under way and then says that it failed."""

from clean import Listener, Server, run


class Failing(Listener):
    def server_close(self):
        super().server_close()
        raise SystemExit(3)


run(Server, listener=Failing)
