"""Sends its stack trace to the client."""

import traceback

from clean import Refused, Server, run


class Telltale(Server):
    def invoke(self, content_type, body):
        try:
            return super().invoke(content_type, body)
        except Refused as refused:
            raise Refused(refused.status, traceback.format_exc()) from refused


run(Telltale)
