"""The body again."""

from argosy import Predictor


class Echo(Predictor):
    """Bytes in, the same bytes out."""

    def predict(self, body: bytes) -> bytes:
        """The body."""
        return body
