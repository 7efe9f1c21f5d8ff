"""In a transform job it fails with every body that it has not seen before."""

import os

from clean import Refused, Server, run

seen = set()


class Hesitant(Server):
    def invoke(self, content_type, body):
        if os.environ.get("SAGEMAKER_BATCH") == "true" and body not in seen:
            seen.add(body)
            raise Refused(500, "not yet")
        return super().invoke(content_type, body)


run(Hesitant)
