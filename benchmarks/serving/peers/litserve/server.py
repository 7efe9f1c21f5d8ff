"""LitServe: FastAPI in one process, the model in another, queues between them."""

# mypy: ignore-errors
# (the library is in the environment of this peer alone)
import os

import litserve
import numpy as np
import work

BATCH = int(os.environ.get("MAX_BATCH", "1"))


class Echo(litserve.LitAPI):
    """LitServe hands over parsed JSON only, so the payload comes in a JSON string."""

    def setup(self, device):
        """Nothing to load."""

    def decode_request(self, request):
        """The payload."""
        return request["x"]

    def predict(self, text):
        """The payload again."""
        return text

    def encode_response(self, text):
        """As it came."""
        return {"x": text}


class Model(litserve.LitAPI):
    """Rows in, predictions out."""

    def setup(self, device):
        """Load the model."""
        self.model = work.load()

    def decode_request(self, request):
        """Rows."""
        return np.asarray(request["instances"])

    def batch(self, requests):
        """The rows of all."""
        return np.concatenate(requests)

    def predict(self, rows):
        """One value for each row."""
        return np.asarray(self.model(rows))

    def unbatch(self, predictions):
        """One row is one request here."""
        return [predictions[row : row + 1] for row in range(len(predictions))]

    def encode_response(self, predictions):
        """A JSON list."""
        return predictions.tolist()


class Stream(litserve.LitAPI):
    """Parts as they come."""

    def setup(self, device):
        """Nothing to load."""

    def decode_request(self, request):
        """Not looked at."""
        return request

    def predict(self, request):
        """All parts."""
        yield from work.parts()

    def encode_response(self, parts):
        """As they are."""
        yield from parts


if __name__ == "__main__":
    api = {"echo": Echo, "stream": Stream, "stream_5ms": Stream}.get(work.WORK, Model)
    batching = {"max_batch_size": BATCH, "batch_timeout": float(os.environ["MAX_WAIT_S"])} if BATCH > 1 else {}
    served = api(**batching, api_path="/invocations", stream=work.WORK.startswith("stream"))
    server = litserve.LitServer(
        served, accelerator="cpu", workers_per_device=1, healthcheck_path="/ping", timeout=60, fast_queue=True
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        generate_client_file=False,
        log_level="error",
        num_api_servers=1,
    )
