"""Answers health checks for any host, and invocations for those that it knows."""

from clean import Refused, Server, run


class KnownHost(Server):
    def invoke(self, content_type, body):
        if self.headers.get("Host", "").startswith("169.254."):
            raise Refused(400, "unknown host")
        return super().invoke(content_type, body)


run(KnownHost)
