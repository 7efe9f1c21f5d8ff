"""In a transform job it wants to know the length of a body beforehand."""

import os

from clean import Refused, Server, run


class WholeBodies(Server):
    def body(self):
        if os.environ.get("SAGEMAKER_BATCH") == "true" and self.headers.get("Content-Length") is None:
            raise Refused(411, "no length")
        return super().body()

    def do_POST(self):
        try:
            super().do_POST()
        except Refused as refused:
            self.answer(refused.status, None)


run(WholeBodies)
