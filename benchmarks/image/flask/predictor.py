"""A predictor that says again what it was told, beside a web framework that makes the image Flask-sized."""

import flask

from argosy import Predictor


class Echo(Predictor):
    """No model: what is measured is the image."""

    framework = flask.Flask

    def predict(self, features: object) -> object:
        """The same again."""
        return features
