"""mosec: a Rust front, Python workers behind a Unix socket."""

# mypy: ignore-errors
# (the library is in the environment of this peer alone)
import os

import work
from mosec import Server, SSEWorker, Worker

BATCH = int(os.environ.get(f"MAX_BATCH_{work.WORK}") or os.environ.get("MAX_BATCH", "1"))
CONTENT_TYPE = "text/csv" if work.WORK in ("logistic", "forest") else "application/json"


class Model(Worker):
    """The model; mosec hands over bytes and takes bytes, so nothing is decoded twice."""

    def __init__(self):
        self.model = work.load()

    def deserialize(self, body):
        """Leave decoding to `forward`, where a batch is decoded together."""
        return bytes(body)

    def serialize(self, answer):
        """Already bytes."""
        return answer

    def forward(self, bodies):
        """One body, or a list of them with batching on."""
        if BATCH > 1:
            return work.answers(self.model, bodies, CONTENT_TYPE)
        return work.answer(self.model, bodies, CONTENT_TYPE)


class Stream(SSEWorker):
    """Streams server-sent events, mosec's only form of streaming."""

    def deserialize(self, body):
        """Not looked at."""
        return bytes(body)

    def serialize(self, answer):
        """Already bytes."""
        return answer

    def forward(self, body):
        """Send all parts."""
        for part in work.parts():
            self.send_stream_event(part.strip())
        return b""


if __name__ == "__main__":
    server = Server()
    batching = {"max_batch_size": BATCH, "max_wait_time": int(os.environ["MAX_WAIT_MS"])} if BATCH > 1 else {}
    server.append_worker(Stream if work.WORK.startswith("stream") else Model, num=1, **batching)
    server.run()
