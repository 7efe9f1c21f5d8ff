"""The body again."""

from argosy import Predictor


class Echo(Predictor):
    """Bytes in, the same bytes out."""

    def predict(self, body: memoryview) -> memoryview:
        """The body."""
        return body
