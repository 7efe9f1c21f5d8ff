"""Argosy packages a trained model as an Amazon SageMaker inference image."""

from argosy.errors import ArgosyError, DecodeError
from argosy.serving.context import Reply, Session, current_invocation, meter
from argosy.serving.predictor import Predictor

__all__ = ["ArgosyError", "DecodeError", "Predictor", "Reply", "Session", "current_invocation", "meter"]
