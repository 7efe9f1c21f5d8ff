"""Ends when it cannot decode a body."""

import os

from clean import Server, run


class Mortal(Server):
    def invoke(self, content_type, body):
        try:
            body.decode()
        except UnicodeDecodeError:
            print("cannot decode the body", flush=True)
            os._exit(1)
        return super().invoke(content_type, body)


run(Mortal)
