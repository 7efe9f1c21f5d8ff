"""BentoML: one service in one worker."""

# mypy: ignore-errors
# (the library is in the environment of this peer alone)
import os
from collections.abc import Generator

import bentoml
import numpy as np
import work

BATCH = int(os.environ.get("MAX_BATCH", "1"))


@bentoml.service(workers=1, traffic={"timeout": 60}, metrics={"enabled": True})
class Service:
    """The API that `WORK` picks; BentoML takes its form from the annotations."""

    def __init__(self):
        self.model = work.load()

    if work.WORK.startswith("stream"):

        @bentoml.api(route="/invocations")
        def run(self, instances: list[list[float]]) -> Generator[str, None, None]:
            """Parts as they come."""
            yield from work.parts()

    elif work.WORK == "echo":

        @bentoml.api(route="/invocations")
        def run(self, x: str) -> str:
            """The payload again."""
            return x

    elif BATCH > 1:

        @bentoml.api(route="/invocations", batchable=True, max_batch_size=BATCH, max_latency_ms=60000)
        def run(self, instances: list[list[float]]) -> list[float]:
            """One value for each row."""
            return self.model(np.asarray(instances)).tolist()

    else:

        @bentoml.api(route="/invocations")
        def run(self, instances: list[list[float]]) -> list[float]:
            """One value for each row."""
            return self.model(np.asarray(instances)).tolist()
