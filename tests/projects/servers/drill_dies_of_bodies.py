"""Ends when a body is longer than it has thought of."""

import os

from clean import Server, run


class Mortal(Server):
    def do_POST(self):
        if int(self.headers.get("Content-Length") or 0) > 30 * 2**20:
            os._exit(1)
        super().do_POST()


run(Mortal)
