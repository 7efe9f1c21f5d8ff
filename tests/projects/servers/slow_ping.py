"""Tries the model before it answers a health check."""

import time

from clean import Server, run


class SlowPing(Server):
    def ping(self):
        time.sleep(2.2)
        super().ping()


run(SlowPing)
