"""A closed-loop HTTP load: so many connections, each sends its next request when it has its answer.

Runs as a process of its own, so that it and the server can be held to different processors:
`python -m benchmarks.load PORT CONNECTIONS SECONDS CPU < request`, prints JSON.
"""

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass, field

import uvloop


@dataclass
class Tally:
    """What came back: seconds of each answer, and how many were not 200."""

    latencies_s: list[float] = field(default_factory=list)
    not_200: int = 0


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, tally: Tally) -> None:
        self._request, self._tally = request, tally
        self._buffer, self._sent = b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # uvloop's is one in all but name
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < size:
            return
        self._tally.latencies_s.append(time.perf_counter() - self._sent)
        self._tally.not_200 += not head.startswith(b"HTTP/1.1 200")
        self._buffer = b""
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)


def request(path: str, body: bytes = b"", content_type: str = "text/csv") -> bytes:
    """The bytes of one request."""
    method = "POST" if body else "GET"
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


async def load(port: int, sent: bytes, connections: int, seconds: float) -> dict[str, float]:
    """Requests a second, and milliseconds at the median and the 99th percentile."""
    tally = Tally()
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: _Connection(sent, tally), "127.0.0.1", port))[0]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds / 4)  # warm
    tally.latencies_s.clear()
    tally.not_200 = 0
    started = time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - started
    done = sorted(tally.latencies_s)
    for transport in opened:
        transport.abort()
    return {
        "requests_per_s": round(len(done) / elapsed),
        "p50_ms": round(done[len(done) // 2] * 1000, 3),
        "p99_ms": round(done[int(len(done) * 0.99)] * 1000, 3),
        "not_200": tally.not_200,
    }


if __name__ == "__main__":
    port, connections, seconds, cpu = sys.argv[1:]
    os.sched_setaffinity(0, {int(cpu)})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(load(int(port), sys.stdin.buffer.read(), int(connections), float(seconds)))))
