"""Keeps the rows of a request where the next one finds them."""

import os
import time

from clean import Server, run

rows = []


class SharedRows(Server):
    def rows(self, content_type, body):
        global rows
        if os.environ.get("SAGEMAKER_BATCH") != "true":
            return super().rows(content_type, body)
        rows = super().rows(content_type, body)
        time.sleep(0.1)
        return rows


run(SharedRows)
