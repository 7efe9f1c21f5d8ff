"""One running container of an act: started, asked, stopped; what it logs goes with what it was asked."""

import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Final

from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.log import Unread
from argosy.conformance.probes import Exchange, Held, Request, ping, send
from argosy.conformance.recording import Moment
from argosy.conformance.scenes.endpoint import Start, Stop
from argosy.contract import HEADER_METERING, INVOCATION, PING, STOP_GRACE
from argosy.errors import ContainerError
from argosy.simulator.containers.container import Container, Launch

PATIENCE_S: Final = 10.0
"""How long a slow health check is waited for, so that the finding can say how slow it is."""
POLL_S: Final = 0.1
_SIGNAL_ARRIVES_S: Final = 0.2
_ENDING_S: Final = 1.0
_RESTART_GRACE_S: Final = 2.0
_LOG_LINES: Final = 8
_INVOCATION_LOG_LINES: Final = 400
"""What a server says of an invocation that it gives up stands before the traceback of a whole model."""
_START_LOG_LINES: Final = 40


class Trial:
    """One container, for as long as a `with` block; removed at its end whatever happens.

    Attributes:
        container: The container; not started before `start`.
        last: The last exchange, None before the first.
        metered: The exchanges whose answers carry the metering header.
    """

    def __init__(self, bench: Bench, launch: Launch | None = None) -> None:
        self.container: Container = bench.launch(launch or Launch(model_dir=bench.model_dir))
        self.last: Exchange | None = None
        self._bench = bench
        self.metered: list[Exchange] = []
        self._track = bench.recorder.track(bench.act)
        self._unread = Unread(self.container)

    def __enter__(self) -> "Trial":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._track.close()
        finally:
            self.container.remove()

    def start(self) -> Start:
        """Start the container and wait until it is healthy, has ended, or time is up."""
        return self._started(self.container.start)

    def restart(self) -> Start:
        """End the container, unless it has ended, start it again, and wait as `start` does."""
        self._track.turn(Moment.TERMINATED)
        self.container.terminate()
        if self._exit_code(_RESTART_GRACE_S) is None:
            self._track.turn(Moment.KILLED)
            self.container.kill()
            self.container.wait(PATIENCE_S)
        self.log()
        self._track.close()
        self._track = self._bench.recorder.track(self._bench.act)
        return self._started(self.container.restart)

    def _started(self, start: Callable[[], None]) -> Start:
        begun = time.monotonic()
        limit_s = self._bench.startup_s
        self._track.start(self.container.memory_bytes)
        try:
            start()
        except ContainerError as error:
            self._track.turn(Moment.REFUSED)
            return Start(limit_s, failure=error.message)
        pings: list[Exchange] = []
        accepted_s: float | None = None
        healthy_s: float | None = None
        exit_code: int | None = None
        while healthy_s is None and exit_code is None and time.monotonic() - begun < limit_s:
            exchange = self.exchange(ping(), min(PATIENCE_S, limit_s))
            if exchange.is_accepted and accepted_s is None:
                accepted_s = time.monotonic() - exchange.total_s - begun
                self._track.turn(Moment.ACCEPTED, begun + accepted_s)
            if not pings or (pings[-1].status, pings[-1].error) != (exchange.status, exchange.error):
                pings.append(exchange)
            if exchange.status == 200:
                healthy_s = time.monotonic() - begun
                self._track.turn(Moment.HEALTHY, begun + healthy_s)
            else:
                exit_code = self._exit_code()
                time.sleep(POLL_S)
        return Start(
            limit_s,
            accepted_s=accepted_s,
            healthy_s=healthy_s,
            waited_s=time.monotonic() - begun,
            pings=tuple(pings),
            exit_code=exit_code,
            has_artifacts=self._bench.has_artifacts,
            log=() if healthy_s is not None else self.log(_START_LOG_LINES),
        )

    def is_alive(self) -> bool:
        """Whether the container runs; one that left a request without an answer may be about to end."""
        if self.last is not None and self.last.status is None:
            return self._exit_code(_ENDING_S) is None
        return self._exit_code() is None

    def send(self, request: Request, timeout_s: float = INVOCATION.value) -> Exchange:
        """Send a request; an answer that may become a finding gets the lines that were logged meanwhile."""
        exchange = self.exchange(request, timeout_s)
        if exchange.status is None or exchange.is_server_error:
            exchange = replace(exchange, log=self.log(_INVOCATION_LOG_LINES))
        if exchange.header(HEADER_METERING) is not None:
            self.metered.append(exchange)
        self.last = exchange
        return exchange

    def exchange(self, request: Request, timeout_s: float = INVOCATION.value) -> Exchange:
        """Send a request as one of several at a time: the log is left alone, and `last` is."""
        exchange = send(self.container.url, request, timeout_s)
        self._track.exchange(exchange)
        return exchange

    def stop(self, baseline: Exchange | None) -> Stop:
        """Send SIGTERM while a request is under way, and wait for the end.

        Args:
            baseline: The request, and how it was answered before; None sends none.
        """
        container, limit_s = self.container, STOP_GRACE.value
        self.log()
        held = None
        if baseline is not None and baseline.request.body:
            # Not the whole grace: a server that waits for a request that it no longer reads ends once its client goes.
            patience_s = min(baseline.total_s + PATIENCE_S, limit_s - PATIENCE_S)
            held = Held(container.url, baseline.request, patience_s)
        # The signal must find the request under way: with a body it is, from its first byte to its last. A server that
        # answers a health check has read what came before it; on a busy machine that takes a while.
        time.sleep(_SIGNAL_ARRIVES_S)
        if held is not None:
            send(container.url, ping(), PING.value)
        begun = time.monotonic()
        self._track.turn(Moment.TERMINATED, begun)
        container.terminate()
        time.sleep(_SIGNAL_ARRIVES_S)
        exchange = held.finish() if held else None
        if exchange is not None:
            self._track.exchange(exchange)
        exit_code = container.wait(max(0.0, limit_s - (time.monotonic() - begun)))
        seconds = time.monotonic() - begun
        log = self.log()
        self._track.turn(Moment.KILLED if exit_code is None else Moment.ENDED, begun + seconds)
        if exit_code is None:
            container.kill()
        return Stop(exit_code, seconds, limit_s, baseline, exchange, log)

    def log(self, count: int = _LOG_LINES) -> tuple[str, ...]:
        """The last of the lines that were logged since the last call."""
        return self._unread.read()[-count:]

    def _exit_code(self, timeout_s: float | None = None) -> int | None:
        """None while the container runs; waits for its end when told how long."""
        container = self.container
        exit_code = container.exit_code() if timeout_s is None else container.wait(timeout_s)
        if exit_code is not None:
            self._track.turn(Moment.ENDED)
        return exit_code

    def is_seen_on_loopback_only(self) -> bool:
        """Whether a container of an image listens on 127.0.0.1 alone; a project is told to."""
        return self._bench.is_read_only and self.container.is_on_loopback_only()
