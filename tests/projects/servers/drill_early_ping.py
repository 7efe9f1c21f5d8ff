"""Says that it is healthy before its model is loaded, which a slow machine shows."""

import os
import time

from clean import Refused, Server, load, run

CPUS = float(os.environ.get("CPUS", "1"))


class Early(Server):
    def ping(self):
        self.answer(200 if CPUS < 1 or self.loaded.is_set() else 503, None)

    def invoke(self, content_type, body):
        if not self.loaded.is_set():
            raise Refused(503, "the model is not loaded")
        return super().invoke(content_type, body)


def load_slowly(server):
    time.sleep(1 / CPUS - 1)
    load(server)


run(Early, load=load_slowly)
