"""Ends when a request has both framings."""

import os

from clean import Server, run


class Mortal(Server):
    def do_POST(self):
        if "Transfer-Encoding" in self.headers and "Content-Length" in self.headers:
            print("two framings", flush=True)
            os._exit(1)
        super().do_POST()


run(Mortal)
