"""Its workers are killed when the model takes longer than they may, as gunicorn's are after 30 s."""

import sys
import time

from clean import Refused, Server, run


class ShortPatience(Server):
    def invoke(self, content_type, body):
        time.sleep(0.1)
        print("[CRITICAL] WORKER TIMEOUT (pid:7)", file=sys.stderr, flush=True)
        raise Refused(502, "bad gateway")


run(ShortPatience)
