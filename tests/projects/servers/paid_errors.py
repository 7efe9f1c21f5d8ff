"""Answers errors with 200, so that buyers pay for them."""

from clean import Refused, Server, run


class PaidErrors(Server):
    def invoke(self, content_type, body):
        try:
            return super().invoke(content_type, body)
        except Refused as refused:
            return {"error": str(refused)}


run(PaidErrors)
