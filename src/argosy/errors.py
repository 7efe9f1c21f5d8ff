"""Every exception that Argosy raises on purpose.

The tree follows the folders::

    ArgosyError
    ├── UsageError                the caller asked for something impossible
    │   ├── ProjectError          argosy.toml, or a file that it names, is wrong
    │   └── InvalidReferenceError an image reference that cannot be parsed
    ├── InvocationError           one request of the container could not be answered with 200
    │   ├── DecodeError                the body is not what its Content-Type says
    │   ├── UnsupportedMediaTypeError  no codec for the Content-Type
    │   ├── NotAcceptableError         no codec for the Accept header
    │   ├── BodyTooLargeError          more bytes than the server takes
    │   ├── UnknownSessionError        a stateful session that is not open here
    │   ├── NotLoadedError             a model or adapter that is not there
    │   ├── ConflictError              a model or adapter that is there already
    │   ├── OutOfMemoryError           no memory for a model, an adapter or a prediction
    │   ├── PredictError               the predictor, or encoding what it returned, failed
    │   ├── OverloadedError            the queue is full
    │   ├── UnavailableError           loading or draining
    │   └── DeadlineExceededError      the answer would come after the platform stopped waiting
    ├── LoadError                 the predictor could not be imported or its model not be loaded
    ├── ImageError                an image, layer or archive is broken or cannot be made
    │   ├── ArchiveError          model.tar.gz holds what SageMaker would not unpack
    │   ├── MissingImageError     there is no image of a name
    │   ├── MissingLibraryError   a program in the image needs a library that is not there
    │   ├── SecretFoundError      a secret would be in the image, or seems to be
    │   └── DamagedCacheError     a file of the cache was not what its digest says, and is removed
    ├── ResolutionError           the dependencies have no solution for the image's platform
    ├── RegistryError             a registry refused, or answered what it should not
    ├── EngineError               the container engine is missing or failed
    ├── NotScannedError           no vulnerability scanner came to a result, so nothing is known
    ├── ContainerError            a container did not start, or ended, or does not answer
    │   └── ContainerTimeoutError it did not answer in time
    ├── TransformError            the transform job, or an object of it, failed
    │   └── RecordError           a record or its result is not what its media type says
    ├── AwsError                  AWS refused a call, or did not answer
    ├── InvalidCallError          a request that the API's own model does not take; nothing was sent
    ├── PlanError                 a plan cannot be carried out, or the world is no longer as it was planned for
    ├── StorageError              an object cannot be read from its bucket, or not be stored there
    └── NetworkError              a download failed

An error holds fields; its text is made of them: what failed, got, want, where, then a hint that can be pasted.
No class here knows HTTP or exit codes: `serving.answers` and `cli.main` hold those tables.
"""

import re
from collections.abc import Sequence


class ArgosyError(Exception):
    """The root of all errors that Argosy raises on purpose.

    Args:
        what: What failed, one clause, lower case, literals in backticks, no final period.
        got: What was found instead.
        want: What would have been right.
        where: File, line, field or URL; never a body, never a secret.
        hint: A command or an edit that mends it.
    """

    def __init__(
        self,
        what: str,
        *,
        got: object = None,
        want: object = None,
        where: object = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.got = got
        self.want = want
        self.where = where
        self.hint = hint
        super().__init__(what)

    @property
    def code(self) -> str:
        """The stable kebab-case name of the class, as reports and answers carry it."""
        name = type(self).__name__.removesuffix("Error")
        return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()

    @property
    def message(self) -> str:
        """The sentence without the hint."""
        text = f"{self.where}: {self.what}" if self.where is not None else self.what
        clauses = [f"got {self.got}"] if self.got is not None else []
        clauses += [f"want {self.want}"] if self.want is not None else []
        return f"{text}: {', '.join(clauses)}" if clauses else text

    def __str__(self) -> str:
        return f"{self.message}\n\nhint: {self.hint}" if self.hint else self.message


class UsageError(ArgosyError):
    """The caller asked for something impossible."""


class ProjectError(UsageError):
    """argosy.toml, or a file that it names, is wrong."""


class InvalidReferenceError(UsageError):
    """An image reference that cannot be parsed."""


class InvocationError(ArgosyError):
    """One request of the container could not be answered with 200."""


class DecodeError(InvocationError):
    """The body is not what its Content-Type says."""


class UnsupportedMediaTypeError(InvocationError):
    """No codec for the Content-Type."""


class NotAcceptableError(InvocationError):
    """No codec for the Accept header."""


class BodyTooLargeError(InvocationError):
    """More bytes than the server takes."""


class UnknownSessionError(InvocationError):
    """A stateful session that is not open here: never was, closed, expired, or gone with its model process."""


class NotLoadedError(InvocationError):
    """A model or an adapter that is not there."""


class ConflictError(InvocationError):
    """A model or an adapter that is there already."""


class OutOfMemoryError(InvocationError):
    """There is no memory for a model, an adapter or a prediction."""


class PredictError(InvocationError):
    """The predictor, or encoding what it returned, failed; or its process ended meanwhile."""


class OverloadedError(InvocationError):
    """The queue is full."""


class UnavailableError(InvocationError):
    """Loading or draining."""


class DeadlineExceededError(InvocationError):
    """The answer would come after the platform stopped waiting."""


class LoadError(ArgosyError):
    """The predictor could not be imported or its model not be loaded."""


class ImageError(ArgosyError):
    """An image, layer or archive is broken or cannot be made."""


class ArchiveError(ImageError):
    """model.tar.gz holds what SageMaker would not unpack."""


class MissingImageError(ImageError):
    """There is no image of a name: neither here, nor where it says.

    Args:
        image: The name.
        hint: What mends it.
    """

    def __init__(self, image: str, *, hint: str | None = None) -> None:
        self.image = image
        super().__init__("there is no such image", where=image, hint=hint)


class MissingLibraryError(ImageError):
    """A program in the image needs a library that is not there, or not in the version that it needs.

    Args:
        what: What failed, as for every error.
        got: The libraries and who needs them.
        hint: What mends it.
        packages: Debian packages that have the libraries, as far as they are known.
    """

    def __init__(
        self,
        what: str,
        *,
        got: object = None,
        want: object = None,
        hint: str | None = None,
        packages: Sequence[str] = (),
    ) -> None:
        self.packages = tuple(packages)
        super().__init__(what, got=got, want=want, hint=hint)


class SecretFoundError(ImageError):
    """A secret, or what seems to be one, would be in the image; the image is not made."""


class DamagedCacheError(ImageError):
    """A file of the cache was not what its digest says, and is removed: the next attempt makes it again."""


class ResolutionError(ArgosyError):
    """The dependencies have no solution for the image's platform."""


class RegistryError(ArgosyError):
    """A registry refused, or answered what it should not."""


class EngineError(ArgosyError):
    """The container engine is missing or failed."""


class NotScannedError(ArgosyError):
    """No vulnerability scanner came to a result: nothing is known of the image, least of all that it is clean."""


class ContainerError(ArgosyError):
    """A container did not start, or ended, or does not answer."""


class ContainerTimeoutError(ContainerError):
    """A container did not answer in time."""


class TransformError(ArgosyError):
    """The transform job, or an object of it, failed."""


class RecordError(TransformError):
    """A record of a transform job, or its result, is not what its media type says."""


class AwsError(ArgosyError):
    """AWS refused a call, or did not answer.

    Args:
        action: What was asked, as IAM names it: `ecr:DescribeImages`.
        refusal: The service's code, as `AccessDenied`, or what kept it from answering.
        sentence: The service's own sentence, empty where it may hold a secret.
        cause: Why it says so, as far as that is known.
        hint: What mends it.
    """

    def __init__(
        self,
        action: str,
        refusal: str = "no answer",
        *,
        sentence: str = "",
        cause: str = "",
        hint: str | None = None,
    ) -> None:
        self.action = action
        self.refusal = refusal
        self.sentence = sentence
        self.cause = cause
        said = f"{refusal}: {sentence}" if sentence else refusal
        super().__init__(f"AWS did not do `{action}`", got=f"{said} ({cause})" if cause else said, hint=hint)


class InvalidCallError(ArgosyError):
    """A request to AWS that the API's own model does not take; nothing was sent.

    Args:
        action: What would have been asked: `sagemaker:CreateModelPackage`.
        faults: What is wrong with it, a sentence each.
    """

    def __init__(self, action: str, faults: Sequence[str] = ()) -> None:
        self.action = action
        self.faults = tuple(faults)
        super().__init__(f"`{action}` would be refused", got="; ".join(faults) or None)


class PlanError(ArgosyError):
    """A plan cannot be carried out, or the world is no longer as it was planned for."""


class StorageError(ArgosyError):
    """An object cannot be read from its bucket, or not be stored there."""


class NetworkError(ArgosyError):
    """A download failed."""
