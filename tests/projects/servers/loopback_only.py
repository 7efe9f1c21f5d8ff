"""Listens where only its own machine can reach it."""

from clean import Listener, Server, run


class Loopback(Listener):
    def __init__(self, address, server):
        super().__init__(("127.0.0.1", address[1]), server)


run(Server, listener=Loopback)
