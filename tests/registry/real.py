"""Debian's docker-registry as tests need it: behind TLS and a password, or on a disk that is soon full."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.ports import free_port


@contextmanager
def docker_registry(folder: Path, more: Mapping[str, Any], *, megabytes: int | None = None) -> Iterator[int]:
    """The port of a registry on loopback.

    Args:
        folder: Where its files go to.
        more: Sections of its configuration, `http` without the address.
        megabytes: How much room it has, in memory; no limit by default.
    """
    port = free_port()
    storage = folder / "storage"
    storage.mkdir(parents=True)
    config = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(storage)}},
        **more,
        "http": {"addr": f"127.0.0.1:{port}", **more.get("http", {})},
    }
    (folder / "config.yml").write_text(json.dumps(config))  # YAML, too
    command = ["docker-registry", "serve", str(folder / "config.yml")]
    if megabytes is not None:
        script = f'mount -t tmpfs -o size={megabytes}m none "$0" && exec "$@"'
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, str(storage), *command]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()
