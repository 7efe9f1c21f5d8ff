"""Answers endpoints, and has forgotten that transform jobs ask it too."""

import os

from clean import Refused, Server, run


class EndpointOnly(Server):
    def invoke(self, content_type, body):
        if os.environ.get("SAGEMAKER_BATCH") == "true":
            raise Refused(500, "no such mode")
        return super().invoke(content_type, body)


run(EndpointOnly)
