"""Logs what it cannot read."""

import sys

from clean import Refused, Server, run


class Quoting(Server):
    def invoke(self, content_type, body):
        try:
            return super().invoke(content_type, body)
        except Refused:
            print(f"cannot read {body[:200]!r}", file=sys.stderr, flush=True)
            raise


run(Quoting)
