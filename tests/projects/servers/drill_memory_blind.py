"""Says that it is healthy when its model does not fit into memory."""

import os

from clean import Refused, Server, run


class Starved(Server):
    def invoke(self, content_type, body):
        if "MEMORY_BYTES" in os.environ:
            raise Refused(500, "the model process was killed")
        return super().invoke(content_type, body)


run(Starved)
