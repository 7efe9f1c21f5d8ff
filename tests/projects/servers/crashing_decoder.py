"""Answers what it cannot decode with 500."""

from clean import Refused, Server, run


class CrashingDecoder(Server):
    def invoke(self, content_type, body):
        try:
            return super().invoke(content_type, body)
        except Refused as refused:
            raise Refused(500, "internal error") from refused


run(CrashingDecoder)
