"""Sizes of wheels whose index tells none, asked for once: what is in the lock divides the layers alike everywhere.

Source: packaging.python.org, "Simple repository API": pages of HTML have no sizes (read 2026-11-23); RFC 9110, sections
8.6 (Content-Length) and 9.3.2 (HEAD), read 2026-11-23.
"""

import threading
from collections.abc import Sequence
from typing import Any, Final

import httpx

from argosy.image.dependencies.wheels import fitness
from argosy.image.download import Credentials, at_once, connected, origin

_UNENCODED: Final = {"Accept-Encoding": "identity"}


def add_sizes(packages: Sequence[dict[str, Any]], python: str, credentials: Credentials) -> None:
    """Add to each wheel that enters the image the size that its server tells, where the lock has none yet.

    A server that does not tell is no error: such a wheel counts as small.

    Args:
        packages: As the lock holds them.
        python: `3.x` of the image.
        credentials: Whom to log in as, where a server is to know.
    """
    unsized = [wheel for package in packages for wheel in _chosen(package, python) if "size" not in wheel]
    if not unsized:
        return
    with connected() as client:

        def act(wheel: dict[str, Any], _: threading.Event) -> None:
            size = _told(client, wheel["url"], credentials)
            if size is not None:
                wheel.update(size=size, hashes=wheel.pop("hashes"))

        at_once(act, unsized)


def _chosen(package: dict[str, Any], python: str) -> list[dict[str, Any]]:
    """The wheel that fits the image best, if any does."""
    ranked = [(fitness(wheel["name"], python), number) for number, wheel in enumerate(package.get("wheels", ()))]
    best = min(((rank, number) for rank, number in ranked if rank is not None), default=None)
    return [] if best is None else [package["wheels"][best[1]]]


def _told(client: httpx.Client, url: str, credentials: Credentials) -> int | None:
    """The size in the header of an answer; GET is for storage whose signed addresses allow nothing else."""
    auth = credentials.get(origin(url), httpx.USE_CLIENT_DEFAULT)
    for method in ("HEAD", "GET"):
        try:
            with client.stream(method, url, auth=auth, headers=_UNENCODED) as response:
                length = response.headers.get("Content-Length", "")
                is_whole = response.status_code == httpx.codes.OK and "Content-Encoding" not in response.headers
        except httpx.HTTPError:
            return None
        if is_whole and length.isdecimal() and int(length) > 0:
            return int(length)
    return None
