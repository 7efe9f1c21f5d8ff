"""Its model takes long for what is in the sample."""

import time

from clean import Server, run

TAKES_S = 2.5


class SlowSample(Server):
    def invoke(self, content_type, body):
        if b"77" in body:
            time.sleep(TAKES_S)
        return super().invoke(content_type, body)


run(SlowSample)
