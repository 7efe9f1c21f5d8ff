"""What a person or test in another process may tell the local AWS: `/_argosy/...`, which no bucket can be named.

- `curl -X PUT URL/_argosy/scan-findings -d '{"imageDigest": "*", "findingSeverityCounts": {"HIGH": 1}}'`
- `curl URL/_argosy/published-packages`
- `curl URL/_argosy/writes`

The second is what AWS shows in its console alone: no API tells the ARNs under which a package was published. The third
is every call that has changed something, oldest first: it tells whether a second run of a program did nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from argosy.local_aws.images.scans import COMPLETE, ScanOutcome, Scans
from argosy.local_aws.messages import read_body, respond_json
from argosy.simulator.runtime.asgi import Message, Receive, Send

CONTROL_PATH: Final = "/_argosy/"
_SCAN_FINDINGS: Final = f"{CONTROL_PATH}scan-findings"
_PUBLISHED: Final = f"{CONTROL_PATH}published-packages"
_WRITES: Final = f"{CONTROL_PATH}writes"
_JSON: Final = "application/json"
_REQUEST_BYTES: Final = 64 * 1024
_MOST: Final = 1000
_SEVERITIES: Final = frozenset({"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "UNDEFINED"})
"""ECR API reference, ImageScanFinding (read 2026-11-23)."""


class Control:
    """The path for control (ASGI).

    Args:
        scans: Whose outcomes can be set.
        copies: Tells what was published: ARN of the seller's package -> region -> ARN of the copy.
        writes: Tells what has changed something: `s3:PutObject`, `registry:PutManifest`.
    """

    def __init__(
        self,
        scans: Scans,
        copies: Callable[[], Mapping[str, Mapping[str, str]]],
        writes: Callable[[], Sequence[str]],
    ) -> None:
        self._scans = scans
        self._told: Mapping[str, Callable[[], Mapping[str, object]]] = {
            _PUBLISHED: copies,
            _WRITES: lambda: {"writes": list(writes())},
        }

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        body = await read_body(receive, _REQUEST_BYTES)
        asked = (scope["method"], scope["path"])
        if scope["method"] == "GET" and scope["path"] in self._told:
            await respond_json(send, 200, self._told[scope["path"]](), _JSON)
            return
        if asked != ("PUT", _SCAN_FINDINGS):
            message = f"PUT {_SCAN_FINDINGS} and GET {' or '.join(self._told)} are all there is"
            await respond_json(send, 404, {"message": message}, _JSON)
            return
        try:
            digest, outcome = _outcome(json.loads(body or b""))
        except (ValueError, RecursionError) as error:
            await respond_json(send, 400, {"message": str(error)}, _JSON)
            return
        self._scans.expect(digest, outcome)
        await respond_json(send, 200, {}, _JSON)


def _outcome(request: object) -> tuple[str, ScanOutcome]:
    """The image's digest, `*` for every image, and what its scans say.

    Raises:
        ValueError: The request is not understood.
    """
    match request:
        case {"imageDigest": str(digest), **rest}:
            given: Any = rest.pop("findingSeverityCounts", {})  # JSON
            status = rest.pop("status", COMPLETE)
            counts: Mapping[str, int] = given if isinstance(given, Mapping) else {}
            is_counted = counts == given and all(type(one) is int and 0 <= one <= _MOST for one in counts.values())
            if rest or not is_counted or not isinstance(status, str) or not counts.keys() <= _SEVERITIES:
                known = ", ".join(sorted(_SEVERITIES))
                raise ValueError(
                    f"findingSeverityCounts is an object of numbers up to {_MOST} by severity ({known}), status a "
                    "text, and there is no more"
                )
            return digest, ScanOutcome(status, counts)
    raise ValueError('want {"imageDigest": "sha256:..." or "*", "findingSeverityCounts": {"HIGH": 1}}')
