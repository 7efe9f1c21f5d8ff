"""What asynchronous invocations tell topics of Amazon SNS: the message, and its way into a file or to a URL."""

import asyncio
import base64
import fcntl
import http.client
import ipaddress
import json
import os
import urllib.parse
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from argosy.errors import UsageError
from argosy.simulator.health import Report
from argosy.simulator.runtime.async_request import AsyncInvocation

LONGEST_RESPONSE: Final = 128 * 1024
"""Bytes of an answer that a notification may hold; the API says 128 KB."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an invocation, as far as a notification tells it.

    Attributes:
        failure_reason: Why it failed; None when it did not.
        content_type: Of the container's answer, if there was one.
        body: The container's answer; None when it is too long, there was none, or the topic does not get it.
    """

    failure_reason: str | None
    content_type: str | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A message on its way to a topic.

    Attributes:
        topic: The topic's ARN.
        id: The same for every attempt to deliver it.
        message: JSON.
        created: As SNS writes times.
    """

    topic: str
    id: str
    message: str
    created: str

    @property
    def envelope(self) -> str:
        """What SNS posts to a subscriber, in one line; it is not signed."""
        return json.dumps(
            {
                "Type": "Notification",
                "MessageId": self.id,
                "TopicArn": self.topic,
                "Message": self.message,
                "Timestamp": self.created,
                "SignatureVersion": "1",
                "Signature": "",
                "SigningCertURL": "",
                "UnsubscribeURL": "",
            }
        )


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How a notification is delivered to a URL.

    Attributes:
        retries: Further attempts after the first.
        delay_s: Before each of them.
        timeout_s: How long the subscriber may take to answer.

    Source:
        The default policy for HTTP: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html.
    """

    retries: int = 3
    delay_s: float = 20.0
    timeout_s: float = 15.0


def notification(topic: str, invocation: AsyncInvocation, result: Result) -> Notification:
    """What a topic is told of an invocation that has ended.

    UNSURE: `message` in `responseBody` (here the reason of a failure, else empty), and whether a failure has
    `responseParameters` (here not).

    Source:
        https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html, and notifications in
        public code (read 2026-11-23).
    """
    headers = invocation.headers
    requested = {
        "accept": headers.get("accept"),
        "contentType": headers.get("content-type"),
        "endpointName": invocation.endpoint,
        "inputLocation": invocation.input,
    }
    is_failed = result.failure_reason is not None
    message: dict[str, object] = {
        "awsRegion": invocation.region,
        "eventTime": _timestamp(datetime.now(UTC)),
        "receivedTime": _timestamp(datetime.fromtimestamp(invocation.received, UTC)),
        "invocationStatus": "Failed" if is_failed else "Completed",
    }
    if is_failed:
        message["failureReason"] = result.failure_reason
    message["requestParameters"] = {name: value for name, value in requested.items() if value is not None}
    if not is_failed:
        answered = {"contentType": result.content_type, "outputLocation": invocation.output}
        message["responseParameters"] = {name: value for name, value in answered.items() if value is not None}
    message |= {
        "inferenceId": invocation.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    if result.body is not None:
        message["responseBody"] = {
            "content": base64.b64encode(result.body).decode(),
            "message": result.failure_reason or "",
            "encoding": "BASE64",
        }
    return Notification(topic, str(uuid.uuid4()), json.dumps(message), _timestamp(datetime.now(UTC)))


class Notifier:
    """Delivers notifications.

    Args:
        subscribers: A topic's ARN -> the path of a file that gets a line for each, or the `http://` or `https://` URL
            that they are posted to as SNS does.
        report: Takes what a person should know, one line each.
        policy: How often a URL is tried.
        is_loopback_only: Whether a URL must be of this machine.

    Raises:
        UsageError: A URL that may not be, or is none.
    """

    def __init__(
        self,
        subscribers: Mapping[str, str | Path],
        report: Report,
        policy: DeliveryPolicy = DeliveryPolicy(),
        is_loopback_only: bool = True,
    ) -> None:
        self._subscribers = dict(subscribers)
        self._report = report
        self._policy = policy
        for subscriber in self._subscribers.values():
            if _is_url(subscriber):
                _check(str(subscriber), is_loopback_only)

    async def deliver(self, message: Notification) -> None:
        """Deliver it, trying again as the policy says; what cannot be delivered is reported, and lost."""
        subscriber = self._subscribers.get(message.topic)
        if subscriber is None:
            self._report(f"nobody has subscribed to {message.topic}: {message.message}")
            return
        for attempt in range(self._policy.retries + 1):
            if attempt:
                await asyncio.sleep(self._policy.delay_s)
            try:
                if _is_url(subscriber):
                    await asyncio.to_thread(_post, str(subscriber), message, self._policy.timeout_s)
                else:
                    await asyncio.to_thread(_append, Path(subscriber), message.envelope)
                return
            except (OSError, http.client.HTTPException) as error:
                self._report(f"notification {message.id} for {subscriber} was not delivered: {error}")
        self._report(f"notification {message.id} is lost after {self._policy.retries + 1} attempts: {message.message}")


def _is_url(subscriber: str | Path) -> bool:
    return isinstance(subscriber, str) and subscriber.startswith(("http://", "https://"))


def _check(url: str, is_loopback_only: bool) -> None:
    fault = "" if url.isascii() else " with characters that are no ASCII: percent-encode them"
    host = None
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname
        _ = parts.port  # read for its error
    except ValueError as error:
        fault = f": {error}"
    if fault or not host:
        raise UsageError("notifications cannot go to this URL", got=f"`{url}`{fault}", want="http://HOST:PORT/PATH")
    if is_loopback_only and not _is_loopback(host):
        raise UsageError(
            "notifications go to this machine only, unless remote subscribers are allowed",
            got=f"`{url}`",
            want="a URL of localhost, 127.0.0.1 or [::1], or a file",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _append(path: Path, line: str) -> None:
    """Append a line to a file, the whole of it or nothing.

    Raises:
        OSError: It has no room, or the file system refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    left = line.encode() + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        # A write may be short, so it takes a lock that lines of several writers never mix.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        before = os.fstat(descriptor).st_size
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError:
            with suppress(OSError):  # a terminal or a pipe keeps what it has
                os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def _post(url: str, message: Notification, timeout_s: float) -> None:
    """Post it as SNS does.

    Raises:
        ConnectionError: The subscriber did not answer with 2xx.
    """
    parts = urllib.parse.urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=timeout_s)
    headers = {
        "x-amz-sns-message-type": "Notification",
        "x-amz-sns-message-id": message.id,
        "x-amz-sns-topic-arn": message.topic,
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Amazon Simple Notification Service Agent",
    }
    try:
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request("POST", target, message.envelope.encode(), headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise ConnectionError(f"the subscriber answers {status}")


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
