"""How an operation of AWS Marketplace refuses."""


class Refusal(Exception):  # noqa: N818 - it is no error of the local AWS, but the service's answer
    """An operation is refused.

    Args:
        code: The service's error code.
        message: A sentence. AWS's own where its documents have one.
        reason: The member `reason` of the buyer's APIs.
    """

    def __init__(self, code: str, message: str, reason: str | None = None) -> None:
        self.code = code
        self.message = message
        self.reason = reason
        super().__init__(message)


def invalid(message: str, reason: str | None = None) -> Refusal:
    """ValidationException."""
    return Refusal("ValidationException", message, reason)


def not_found(message: str) -> Refusal:
    """ResourceNotFoundException."""
    return Refusal("ResourceNotFoundException", message)


def denied(message: str) -> Refusal:
    """AccessDeniedException."""
    return Refusal("AccessDeniedException", message)


def conflict(message: str) -> Refusal:
    """ConflictException."""
    return Refusal("ConflictException", message)


def not_simulated(message: str) -> Refusal:
    """What the local AWS does not do: an answer that clients neither retry nor take for the service's."""
    return Refusal("NotSimulated", message)
