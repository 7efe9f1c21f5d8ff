"""The platform's HTTP to a container: health checks, execution parameters, invocations.

Header fields are exactly those given here and by the caller: what an HTTP library would add by itself does not reach
the container, as it does not on SageMaker.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from argosy import contract
from argosy.errors import ContainerError

_IDLE_S: Final = 1.0  # below every server's own keep-alive (gunicorn's is 2 s), so that no request meets a closing one

Body = bytes | AsyncIterator[bytes]
INVOCATIONS: Final = "/invocations"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who SageMaker says it is.

    Attributes:
        host: The `Host` field.
        user_agent: The `User-Agent` field.
    """

    host: str
    user_agent: str


ENDPOINT: Final = Caller("model.aws.local:8080", "AHC/2.0")
"""Seen in public logs of containers behind endpoints, 2019 (read 2026-11-22)."""
TRANSFORM_JOB: Final = Caller("169.254.255.131:8080", "Go-http-client/1.1")
"""Seen in logs of transform jobs: https://github.com/aws/amazon-sagemaker-examples/issues/815 (read 2026-11-22)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A container's answer to a short request, body included.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case, values decoded as Latin-1, so that no byte is lost.
        body: As it came, content codings untouched.
        is_cut: Whether the body was longer than the caller wanted and is not here whole.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Ping:
    """What came of a health check.

    Attributes:
        fault: What was wrong, in a clause; None when it passed.
        is_answered: Whether the container answered at all.
    """

    fault: str | None
    is_answered: bool


class Connection:
    """HTTP connections to one container.

    Args:
        url: `http://ADDRESS:PORT` of the container.
        caller: What the platform calls itself.
    """

    def __init__(self, url: str, caller: Caller) -> None:
        self._url = url
        self._headers = {"Host": caller.host, "User-Agent": caller.user_agent}
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=_IDLE_S)
            ),
            timeout=None,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()

    async def ping(self) -> Ping:
        """One health check: only 200 within 2 seconds passes it."""
        try:
            reply = await self.get("/ping", contract.PING.value)
        except ContainerError as error:
            return Ping(error.what, is_answered=False)
        return Ping(None if reply.status == 200 else f"/ping answers {reply.status}", is_answered=True)

    async def get(self, path: str, timeout_s: float) -> Reply:
        """A GET request with its whole answer.

        Raises:
            ContainerError: No answer, or none within `timeout_s`.
        """
        return await self.send("GET", path, {}, b"", timeout_s=timeout_s, limit_bytes=int(contract.ENDPOINT_BODY.value))

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, timeout_s: float, limit_bytes: int
    ) -> Reply:
        """One request with its whole answer, at most `limit_bytes` of it.

        Raises:
            ContainerError: No answer, or not the whole of it within `timeout_s`.
        """
        async with self._request(method, path, headers, body, timeout_s) as response:
            return await _read(response, limit_bytes)

    @asynccontextmanager
    async def stream(
        self, path: str, headers: Mapping[str, str], body: Body, *, timeout_s: float
    ) -> AsyncIterator[httpx.Response]:
        """One invocation whose answer is read by the caller, with `aiter_raw`, inside the same time limit.

        A body that is an iterator goes in chunks, unless `headers` hold its Content-Length.

        Raises:
            ContainerError: No answer, or not the whole of it within `timeout_s`.
        """
        async with self._request("POST", path, headers, body, timeout_s) as response:
            yield response

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, headers: Mapping[str, str], body: Body, timeout_s: float
    ) -> AsyncIterator[httpx.Response]:
        request = httpx.Request(method, self._url + path, headers={**self._headers, **headers}, content=body)
        try:
            async with asyncio.timeout(timeout_s):
                response = await self._client.send(request, stream=True)
                try:
                    yield response
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise ContainerError(f"{path} was not answered within {timeout_s:g} s") from error
        except httpx.ConnectError as error:
            raise ContainerError("nothing listens at the container's port") from error
        except (httpx.TransportError, httpx.StreamError) as error:
            raise ContainerError(f"the connection broke before {path} was answered", got=error) from error


async def _read(response: httpx.Response, limit_bytes: int) -> Reply:
    parts: list[bytes] = []
    size = 0
    response.headers.encoding = "latin-1"
    headers = dict(response.headers)
    async for part in response.aiter_raw():
        size += len(part)
        if size > limit_bytes:
            return Reply(response.status_code, headers, b"", is_cut=True)
        parts.append(part)
    return Reply(response.status_code, headers, b"".join(parts))
