"""Refuses headers that it does not know."""

from clean import Refused, Server, run

KNOWN = {"host", "user-agent", "content-type", "content-length", "transfer-encoding", "expect", "accept"}


class StrictHeaders(Server):
    def invoke(self, content_type, body):
        if unknown := {name.lower() for name in self.headers} - KNOWN:
            raise Refused(400, f"unknown headers {sorted(unknown)}")
        return super().invoke(content_type, body)


run(StrictHeaders)
