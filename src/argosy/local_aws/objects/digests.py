"""What a request says its body's digests are, held to the body as it comes.

Source: S3 API reference, PutObject and "Checking object integrity"; the sentences as clients report them (read
2026-11-23). CRC32C and CRC64NVME are not in Python's library, and a body in signed chunks has its digests at its end:
neither is looked at.
"""

import base64
import binascii
import hashlib
import hmac
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

_CHECKSUM: Final = "x-amz-checksum-"
_HASHED: Final = "x-amz-content-sha256"


@dataclass
class S3Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """S3 does not do it.

    Attributes:
        code: Of the error.
        message: The service's sentence.
        status: Of the answer.
    """

    code: str
    message: str
    status: int = 400


class _Hash(Protocol):
    def update(self, chunk: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _CyclicRedundancyCheck:
    def __init__(self) -> None:
        self._value = 0

    def update(self, chunk: bytes, /) -> None:
        self._value = zlib.crc32(chunk, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


_KINDS: Final[Mapping[str, Callable[[], _Hash]]] = {
    "sha256": hashlib.sha256,
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "crc32": _CyclicRedundancyCheck,
}


@dataclass(frozen=True, slots=True)
class _Expected:
    made: _Hash
    digest: bytes
    refusal: S3Refusal


class Digests:
    """The digests of one body.

    Args:
        headers: Of the request, by their names in small letters.

    Raises:
        S3Refusal: One cannot be a digest.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._expected: list[_Expected] = []
        hashed = headers.get(_HASHED, "")
        if hashed.startswith("STREAMING-") or "aws-chunked" in headers.get("content-encoding", ""):
            return
        if len(hashed) == 2 * hashlib.sha256().digest_size:
            told = "The provided 'x-amz-content-sha256' header does not match what was computed."
            refusal = S3Refusal("XAmzContentSHA256Mismatch", told)
            self._expected.append(_Expected(hashlib.sha256(), _unhex(hashed), refusal))
        if given := headers.get("content-md5"):
            invalid = S3Refusal("InvalidDigest", "The Content-MD5 you specified was invalid.")
            wrong = S3Refusal("BadDigest", "The Content-MD5 you specified did not match what we received.")
            made = hashlib.md5(usedforsecurity=False)
            self._expected.append(_Expected(made, _decoded(given, made, invalid), wrong))
        for kind, make in _KINDS.items():
            if given := headers.get(f"{_CHECKSUM}{kind}"):
                invalid = S3Refusal("InvalidRequest", f"Value for {_CHECKSUM}{kind} header is invalid.")
                sentence = f"The {kind.upper()} you specified did not match the calculated checksum."
                summed = make()
                wrong = S3Refusal("BadDigest", sentence)
                self._expected.append(_Expected(summed, _decoded(given, summed, invalid), wrong))

    def update(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        for each in self._expected:
            each.made.update(chunk)

    def verify(self) -> None:
        """The body is whole.

        Raises:
            S3Refusal: It is not what a digest says.
        """
        for each in self._expected:
            if not hmac.compare_digest(each.made.digest(), each.digest):
                raise each.refusal


def _decoded(text: str, made: _Hash, invalid: S3Refusal) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise invalid from None
    if len(found) != len(made.digest()):
        raise invalid
    return found


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
