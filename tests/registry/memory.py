"""A registry in memory that can be told to fail: the parts of the protocol that a client meets."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.image.web import Answer, Request

USER, PASSWORD, TOKEN = "user", "pass:word", "a-token"


@dataclass
class MemoryRegistry:
    """Called with requests; `trouble` may answer one before it does."""

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    trouble: list[Callable[[Request], Answer | None]] = field(default_factory=list)
    login: str = ""
    """`basic`, `bearer`, or nothing."""
    url: str = ""

    def __call__(self, request: Request) -> Answer:
        self.requests.append(f"{request.method} {request.path}")
        for number, trouble in enumerate(self.trouble):
            given = trouble(request)
            if given is not None:
                del self.trouble[number]
                return given
        if request.path == "/token":
            return self._token(request)
        if not self._is_known(request):
            challenge = f'Bearer realm="{self.url}/token",service="here",scope="repository:x:pull,push"'
            return Answer(401, headers={"WWW-Authenticate": challenge if self.login == "bearer" else 'Basic realm="x"'})
        parts = request.path.removeprefix("/v2/").split("/")
        if "manifests" in parts:
            return self._manifest(request, "/".join(parts[:-2]), parts[-1])
        if "uploads" in parts:
            return self._upload(request, "/".join(parts[: parts.index("blobs")]))
        blob = self.blobs.get(("/".join(parts[:-2]), parts[-1]))
        return Answer(404) if blob is None else Answer(200, blob)

    def sent(self, method: str) -> list[str]:
        """The last part of the path of every request of a method."""
        return [line.rpartition("/")[2] for line in self.requests if line.startswith(f"{method} ")]

    def _is_known(self, request: Request) -> bool:
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        wanted = {"": None, "basic": basic, "bearer": f"Bearer {TOKEN}"}[self.login]
        return wanted is None or request.headers.get("Authorization") == wanted

    def _token(self, request: Request) -> Answer:
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.method == "POST":
            form = parse_qs(request.body.decode())
            known = form.get("refresh_token") == ["identity"] and form.get("scope") == ["repository:x:pull,push"]
            return Answer(200, json.dumps({"access_token": TOKEN}).encode()) if known else Answer(401)
        if request.headers.get("Authorization") != basic or "scope=repository" not in request.query:
            return Answer(401, b'{"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]}')
        return Answer(200, json.dumps({"token": TOKEN}).encode())

    def _manifest(self, request: Request, repository: str, name: str) -> Answer:
        if request.method == "PUT":
            media_type = request.headers["Content-Type"]
            for key in (name, _sha256(request.body)):
                self.manifests[repository, key] = (media_type, request.body)
            return Answer(201)
        found = self.manifests.get((repository, name))
        if found is None:
            return Answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "no such manifest"}]}')
        return Answer(200, found[1], {"Content-Type": found[0], "Docker-Content-Digest": _sha256(found[1])})

    def _upload(self, request: Request, repository: str) -> Answer:
        query = parse_qs(request.query)
        if request.method == "POST":
            origin, digest = query.get("from", [""])[0], query.get("mount", [""])[0]
            if (origin, digest) in self.blobs:
                self.blobs[repository, digest] = self.blobs[origin, digest]
                return Answer(201)
            return Answer(202, headers={"Location": f"/v2/{repository}/blobs/uploads/session?state=1"})
        (digest,) = query["digest"]
        if _sha256(request.body) != digest or query["state"] != ["1"]:
            return Answer(400, b'{"errors": [{"code": "DIGEST_INVALID", "message": "no"}]}')
        self.blobs[repository, digest] = request.body
        return Answer(201)


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
