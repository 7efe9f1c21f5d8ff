"""Compares the whole Content-Type header field."""

from clean import Refused, Server, run


class RawContentType(Server):
    def invoke(self, content_type, body):
        if content_type not in ("application/json", "text/csv", None):
            raise Refused(415, f"cannot read {content_type}")
        return super().invoke(content_type, body)


run(RawContentType)
