"""Stateful sessions: all invocations of one go to the same model process, until it is closed, expires or dies.

The front mints the id when a client asks for a new session, and pins it to the model process that has the fewest. The
predictor finds its own state by `current_invocation().session`; that process is told when the session is over.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/stateful-sessions.html; API_runtime_InvokeEndpoint (SessionId,
    NewSessionId, ClosedSessionId); deepjavalibrary/djl-serving serving/docs/stateful_sessions.md (the answer has the id
    in X-Amzn-SageMaker-Session-Id); aws/model-hosting-container-standards sagemaker/sessions/handlers.py (in
    X-Amzn-SageMaker-New-Session-Id; unknown sessions and disabled ones are 400) (read 2026-11-22).
"""

import asyncio
import time
import uuid
from typing import Final

import orjson

from argosy import contract
from argosy.errors import OverloadedError, UnavailableError, UnknownSessionError
from argosy.serving import answers, log
from argosy.serving.pool.model_link import ModelLink
from argosy.serving.pool.pool import Pool
from argosy.serving.pool.readiness import State

MOST: Final = 4096
"""Sessions that may be open; what each of them holds in its model process is the predictor's own business."""
_LONGEST_REQUEST: Final = 4096
"""Bytes of a body that may open or close a session; a longer one is for the predictor."""
_SWEEP_S: Final = 1.0


class PinnedSession:
    """One session as the front knows it.

    Attributes:
        id: The id, as the client sends it.
        link: The model process that has its state.
        is_new: Whether it is not known to the client yet.
    """

    __slots__ = ("_in_flight", "_is_over", "_sessions", "expires", "id", "is_new", "link")

    def __init__(self, sessions: "Sessions", id_: str, link: ModelLink) -> None:
        self._sessions = sessions
        self._in_flight = 0
        self._is_over = False
        self.id = id_
        self.link = link
        self.is_new = True
        self.expires = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether it has invocations that are not answered."""
        return self._in_flight > 0

    def head(self, status: int) -> bytes:
        r"""What goes with the answer, as `\r\nname: value`: the first 2xx tells the client the id."""
        if not (self.is_new and 200 <= status < 300):
            return b""
        self.is_new = False
        return self._sessions.new_head(self.id)

    def enter(self) -> None:
        """An invocation of it begins."""
        self._in_flight += 1

    def leave(self) -> None:
        """An invocation of it is answered, or its client left."""
        self._in_flight -= 1
        if self._is_over:
            self._tell_if_idle()
        elif self.is_new:
            self._sessions.end(self)  # it was refused: the client does not know the id
        else:
            self._sessions.touch(self)

    def end(self) -> None:
        """It is over: its process is told when the last of its invocations is answered."""
        self._is_over = True
        self._tell_if_idle()

    def _tell_if_idle(self) -> None:
        if not self._in_flight:
            self.link.tell({"event": "close-session", "session": self.id})


class Sessions:
    """The open sessions of one model.

    Args:
        pool: Has the model processes.
        ttl_s: Seconds that an unused session lives; 0: there are no sessions.
    """

    def __init__(self, pool: Pool, ttl_s: int) -> None:
        self._pool = pool
        self._ttl_s = ttl_s
        self._loop = asyncio.get_running_loop()
        self._open: dict[str, PinnedSession] = {}  # the one that expires next comes first
        self._is_sweeping = False

    def __len__(self) -> int:
        return len(self._open)

    def answer(self, asked: str, body: bytes) -> tuple[bytes, bytes] | None:
        r"""Open or close a session, when that is all that a request is about.

        Args:
            asked: The header field.
            body: `{"requestType": "NEW_SESSION"}`, an object whose `requestType` is `CLOSE`, or what is for the
                predictor.

        Returns:
            Head (Content-Type, then `\r\nname: value`) and body of the answer; None when the predictor is asked.

        Raises:
            UnknownSessionError: There is no such session.
            OverloadedError: There are as many sessions as there may be.
            UnavailableError: No model process can have a new one.
        """
        wanted = _request_type(body)
        if wanted == contract.CLOSE_SESSION:
            session = self._find(asked)
            self.end(session)
            told = f"{contract.HEADER_CLOSED_SESSION_ID}: {session.id}".encode()
            return answers.CONTENT_TYPE + b"\r\n" + told, orjson.dumps({"closedSessionId": session.id})
        if wanted == contract.NEW_SESSION and asked == contract.NEW_SESSION:
            session = self._create()
            session.is_new = False
            return answers.CONTENT_TYPE + self.new_head(session.id), orjson.dumps({"sessionId": session.id})
        return None

    def find(self, asked: str) -> PinnedSession:
        """The session of an invocation, or a new one.

        Args:
            asked: The header field.

        Raises:
            UnknownSessionError: There is no such session.
            OverloadedError: There are as many sessions as there may be.
            UnavailableError: No model process can have a new one.
        """
        return self._create() if asked == contract.NEW_SESSION else self._find(asked)

    def touch(self, session: PinnedSession) -> None:
        """It lives for another `ttl_s`."""
        self._open.pop(session.id, None)
        session.expires = self._loop.time() + self._ttl_s
        self._open[session.id] = session

    def end(self, session: PinnedSession) -> None:
        """It is over, for whatever reason."""
        if self._open.pop(session.id, None) is not None:
            session.end()

    def on_process_lost(self, link: ModelLink) -> None:
        """A model process is gone, and what its sessions had in it."""
        lost = [session for session in self._open.values() if session.link is link]
        for session in lost:
            del self._open[session.id]
            session.end()
        if lost and self._pool.state is State.READY:
            log.event("sessions-lost", pid=link.pid, count=len(lost))

    def new_head(self, id_: str) -> bytes:
        """The header fields that tell a client of its session; both names, for one is DJL's and one is MHCS's."""
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self._ttl_s))
        told = f"{id_}; Expires={expires}"
        return f"\r\n{contract.HEADER_SESSION_ID}: {told}\r\n{contract.HEADER_NEW_SESSION_ID}: {told}".encode()

    def _find(self, asked: str) -> PinnedSession:
        if not self._ttl_s:
            raise UnknownSessionError("stateful sessions are not enabled", where=contract.HEADER_SESSION_ID)
        session = self._open.get(asked)
        if session is not None and session.expires <= self._loop.time() and not session.is_busy:
            self.end(session)
            session = None
        if session is None or session.is_new:
            raise UnknownSessionError(
                "no such session: it never was, is closed, has expired, or its model process has ended",
                where=contract.HEADER_SESSION_ID,
            )
        self.touch(session)
        return session

    def _create(self) -> PinnedSession:
        if not self._ttl_s:
            raise UnknownSessionError("stateful sessions are not enabled", where=contract.HEADER_SESSION_ID)
        if len(self._open) >= MOST:
            raise OverloadedError("there are as many sessions as there may be", got=f"{MOST} open")
        loaded = [link for link in self._pool.links if link.is_loaded]
        if self._pool.state is not State.READY or not loaded:
            raise UnavailableError("no model process can have a session")
        count = dict.fromkeys(loaded, 0)
        for session in self._open.values():
            count[session.link] += 1
        link = min(loaded, key=lambda link: (count[link], len(link.held) + len(link.waiting)))
        session = PinnedSession(self, str(uuid.uuid4()), link)
        self.touch(session)
        if not self._is_sweeping:
            self._is_sweeping = True
            self._loop.call_later(_SWEEP_S, self._sweep)
        return session

    def _sweep(self) -> None:
        """End what has expired; runs while there are sessions."""
        now = self._loop.time()
        for session in list(self._open.values()):
            if session.expires > now:
                break
            if session.is_busy:
                self.touch(session)
            else:
                self.end(session)
        self._is_sweeping = bool(self._open)
        if self._is_sweeping:
            self._loop.call_later(_SWEEP_S, self._sweep)


def _request_type(body: bytes) -> str:
    """What a body wants of the session itself, empty when it is for the predictor."""
    if len(body) > _LONGEST_REQUEST or b'"requestType"' not in body:
        return ""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(found, dict):
        return ""
    wanted = found.get("requestType")
    is_alone = len(found) == 1
    return wanted if wanted == contract.CLOSE_SESSION or (wanted == contract.NEW_SESSION and is_alone) else ""
