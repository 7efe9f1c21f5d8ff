"""The asynchronous endpoint `demo` as a process that can be killed: `async_server.py PORT CONTAINER_URL FOLDER`.

The container is somebody else's and outlives it.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from argosy.simulator.containers.attempt import Attempt
from argosy.simulator.hosting.definition import AsyncInference as AsyncConfig
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.runtime.async_inference import AsyncInference
from argosy.simulator.runtime.async_spool import Spool
from argosy.simulator.runtime.notification import Notifier
from argosy.simulator.runtime.service import Runtime, bind, serve
from argosy.simulator.storage.local_folder import LocalFolder
from tests.simulator.serving_thread import demo, only

TOPIC = "arn:aws:sns:us-east-1:123456789012:all"


class Adopted:
    """A container that runs already, and is left running."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.name = self.kind = "adopted"
        self.is_offline = self.lends_network = self.can_restart = False
        self.caveat = ""
        self.models_path = ""

    def start(self) -> None:
        pass

    def exit_code(self) -> int | None:
        return None

    def terminate(self) -> None:
        pass

    def kill(self) -> None:
        pass

    def wait(self, timeout_s: float) -> int | None:
        return 0

    def logs(self, last_bytes: int | None = None) -> str:
        return ""

    def attempts(self) -> Sequence[Attempt]:
        return ()

    def out_of_memory(self) -> str:
        return ""

    def restart(self) -> None:
        pass

    def written(self) -> Sequence[str]:
        return ()

    def processes(self) -> Sequence[tuple[str, int]]:
        return ()

    def memory_bytes(self) -> int | None:
        return None

    def is_on_loopback_only(self) -> bool:
        return True

    def remove(self) -> None:
        pass


def report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def main(port: int, url: str, folder: Path) -> None:
    config = AsyncConfig("s3://results/out", "s3://results/failed", TOPIC, TOPIC, max_concurrent_per_instance=2)
    endpoint = Endpoint(replace(demo(), async_inference=config), only(Adopted(url)), report)
    store, spool = LocalFolder(folder / "buckets"), Spool(folder / "spool")
    async_inference = AsyncInference(store, spool, Notifier({TOPIC: folder / "told"}, report), report)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await endpoint.start()
    await async_inference.attach(endpoint)
    runtime = Runtime({"demo": endpoint}, report, async_inference)
    await serve(runtime, bind(port), stopping, on_open=lambda: None)
    await async_inference.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
