"""The predictor that starts soonest."""

from argosy import Predictor


class Echo(Predictor):
    """Answers what it is asked."""

    def predict(self, rows: bytes) -> bytes:
        """The body as it is."""
        return rows
