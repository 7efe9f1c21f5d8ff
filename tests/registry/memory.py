"""A registry in memory that can be told to fail: the parts of the protocol that a client meets."""

import base64
import hashlib
import itertools
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from argosy.registry.access import Access
from tests.image.web import Answer, Request

USER, PASSWORD = "user", "pass:word"
NO_DIGEST = Answer(400, b'{"errors": [{"code": "DIGEST_INVALID", "message": "no"}]}')


@dataclass
class MemoryRegistry:
    """Called with requests; `trouble` may answer one before it does."""

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of each of the requests."""
    trouble: list[Callable[[Request], Answer | None]] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    """Bytes of each of the next PATCHes after which the connection breaks; what came is kept."""
    before: Callable[[Request], object] = lambda _: None
    """Called with every request, by several threads at once."""
    login: str = ""
    """`basic`, `bearer`, or nothing."""
    password: str = PASSWORD
    may_read: Callable[[str], bool] = lambda _: True
    """Whether a token for pulling from a repository is given."""
    uploads: str = "kept"
    """What becomes of a PATCH that broke: `kept`, `forgotten`; `lossy`: those after the first are taken and lost."""
    ranges: str = "right"
    """How parts of a blob are given: `right`, `none`, `wrong` (another part), `refused` (416)."""
    url: str = ""
    tokens: dict[str, frozenset[str]] = field(default_factory=dict)
    """Token -> its scopes; take one out and it has expired."""
    _sessions: dict[str, bytearray] = field(default_factory=dict)
    _patched: set[str] = field(default_factory=set)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request) -> Answer:
        self.before(request)
        with self._lock:
            self.requests.append(f"{request.method} {request.path}")
            self.headers.append(dict(request.headers))
            return self._answer(request)

    def breaks_after(self, method: str, _: str) -> int | None:
        """Where the connection breaks while a blob is sent."""
        return self.breaks.pop(0) if method == "PATCH" and self.breaks else None

    def sent(self, method: str) -> list[str]:
        """The last part of the path of every request of a method."""
        return [line.rpartition("/")[2] for line in self.requests if line.startswith(f"{method} ")]

    def _answer(self, request: Request) -> Answer:
        for number, trouble in enumerate(self.trouble):
            given = trouble(request)
            if given is not None:
                del self.trouble[number]
                return given
        if request.path == "/token":
            return self._token(request)
        if request.path == "/v2/":
            return Answer(200, b"{}")
        parts = request.path.removeprefix("/v2/").split("/")
        place = next(word for word in ("blobs", "manifests") if word in parts)
        repository = "/".join(parts[: parts.index(place)])
        if not self._is_known(request, repository):
            actions = "pull" if request.method in ("GET", "HEAD") else "pull,push"
            challenge = f'Bearer realm="{self.url}/token",service="here",scope="repository:{repository}:{actions}"'
            return Answer(401, headers={"WWW-Authenticate": challenge if self.login == "bearer" else 'Basic realm="x"'})
        if place == "manifests":
            return self._manifest(request, repository, parts[-1])
        if "uploads" in parts:
            return self._upload(request, repository)
        return self._blob(request, self.blobs.get((repository, parts[-1])))

    def _is_known(self, request: Request, repository: str) -> bool:
        given = request.headers.get("Authorization", "")
        if self.login != "bearer":
            return not self.login or given == self._basic
        scopes = self.tokens.get(given.removeprefix("Bearer "), frozenset())
        origin = parse_qs(request.query).get("from")
        needed = {(repository, "pull" if request.method in ("GET", "HEAD") else "push")}
        needed |= {(origin[0], "pull")} if origin else set()
        granted = {(scope.split(":")[1], action) for scope in scopes for action in scope.split(":")[2].split(",")}
        return needed <= granted

    @property
    def _basic(self) -> str:
        return "Basic " + base64.b64encode(f"{USER}:{self.password}".encode()).decode()

    def _token(self, request: Request) -> Answer:
        if request.method == "POST":
            form = parse_qs(request.body.decode())
            if form.get("refresh_token") != ["identity"]:
                return Answer(401)
            name, scopes = "access_token", form["scope"][0].split()
        else:
            if request.headers.get("Authorization") != self._basic:
                return Answer(401, b'{"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]}')
            name, scopes = "token", parse_qs(request.query)["scope"]
        token = f"token-{next(self._numbers)}"
        granted = (scope for scope in scopes if scope.endswith(",push") or self.may_read(scope.split(":")[1]))
        self.tokens[token] = frozenset(granted)
        return Answer(200, json.dumps({name: token, "expires_in": 300}).encode())

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

    def _blob(self, request: Request, blob: bytes | None) -> Answer:
        if blob is None:
            return Answer(404)
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if asked is None or self.ranges == "none":
            return Answer(200, blob)
        begin = int(asked[1])
        if self.ranges == "refused" or begin >= len(blob):
            return Answer(416)
        begin = begin // 2 if self.ranges == "wrong" else begin
        return Answer(206, blob[begin:], {"Content-Range": f"bytes {begin}-{len(blob) - 1}/{len(blob)}"})

    def _upload(self, request: Request, repository: str) -> Answer:
        query = parse_qs(request.query)
        if request.method == "POST":
            origin, digest = query.get("from", [""])[0], query.get("mount", [""])[0]
            if (origin, digest) in self.blobs:
                self.blobs[repository, digest] = self.blobs[origin, digest]
                return Answer(201)
            session = f"session-{next(self._numbers)}"
            self._sessions[session] = bytearray()
            return Answer(202, headers={"Location": f"/v2/{repository}/blobs/uploads/{session}?state=1"})
        session = request.path.rpartition("/")[2]
        if session not in self._sessions or query.get("state") != ["1"]:
            return Answer(404, b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN", "message": "no such upload"}]}')
        if request.method == "PUT":
            return self._finish(self._sessions.pop(session) + request.body, repository, query["digest"][0])
        if request.method == "PATCH":
            self._patch(request, session)
        known = self._sessions.get(session)
        if known is None:
            return Answer(404)
        headers = {"Location": f"{request.path}?state=1", "Range": f"0-{max(0, len(known) - 1)}"}
        return Answer(202 if request.method == "PATCH" else 204, headers=headers)

    def _patch(self, request: Request, session: str) -> None:
        is_cut = len(request.body) < int(request.headers["Content-Length"])
        if is_cut and self.uploads == "forgotten":
            del self._sessions[session]
        elif not (self.uploads == "lossy" and session in self._patched):
            begin = int(request.headers.get("Content-Range", "0-").partition("-")[0])
            assert begin == len(self._sessions[session])
            self._sessions[session] += request.body
        self._patched.add(session)

    def _finish(self, content: bytearray, repository: str, digest: str) -> Answer:
        if _sha256(bytes(content)) != digest:
            return NO_DIGEST
        self.blobs[repository, digest] = bytes(content)
        return Answer(201, headers={"Docker-Content-Digest": digest})


def place(memory: MemoryRegistry, repository: str = "team/model", tag: str = ":1") -> str:
    """A reference to an image in it."""
    return f"docker://{memory.url.removeprefix('http://')}/{repository}{tag}"


def log_in(access: Access, memory: MemoryRegistry, **entry: str) -> None:
    """Have Docker's config know this of it."""
    access.docker_config.mkdir(exist_ok=True)
    auths = {memory.url.removeprefix("http://"): entry}
    (access.docker_config / "config.json").write_text(json.dumps({"auths": auths}))


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
