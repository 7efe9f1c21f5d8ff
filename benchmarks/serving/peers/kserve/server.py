"""KServe's Python model server."""

# mypy: ignore-errors
# (the library is in the environment of this peer alone)
import argparse

import numpy as np
import work
from kserve import Model, ModelServer, model_server


class Served(Model):
    """Rows in, predictions out, in the V1 protocol."""

    def __init__(self, name):
        super().__init__(name)
        self.model = work.load()
        self.ready = True

    async def predict(self, payload, headers=None, response_headers=None):
        """One value for each row."""
        return {"predictions": np.asarray(self.model(np.asarray(payload["instances"]))).tolist()}


if __name__ == "__main__":
    told, _ = argparse.ArgumentParser(parents=[model_server.parser]).parse_known_args()
    server = ModelServer(http_port=told.http_port, enable_grpc=False, workers=1, access_log_format=None)
    server.start([Served("m")])
