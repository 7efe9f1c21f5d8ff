"""Wants a header line in every file of a transform job."""

import os

from clean import Refused, Server, run


class HeaderLine(Server):
    def rows(self, content_type, body):
        rows = super().rows(content_type, body)
        if os.environ.get("SAGEMAKER_BATCH") == "true" and content_type == "text/csv" and len(rows) < 2:
            raise Refused(400, "no header line")
        return rows


run(HeaderLine)
