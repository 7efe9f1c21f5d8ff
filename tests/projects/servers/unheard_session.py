"""Looks for the state of a session that nobody opened."""

from clean import Refused, Server, run

SESSIONS = {}


class Sessions(Server):
    def invoke(self, content_type, body):
        session = self.headers.get("X-Amzn-SageMaker-Session-Id")
        if session and session not in SESSIONS:
            raise Refused(500, "internal error")
        return super().invoke(content_type, body)


run(Sessions)
