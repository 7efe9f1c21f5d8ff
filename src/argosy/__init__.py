"""Argosy packages a trained model as an Amazon SageMaker inference image."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argosy.errors import ArgosyError, DecodeError
    from argosy.serving.context import Reply, Session, current_invocation, meter
    from argosy.serving.predictor import Predictor

__all__ = ["ArgosyError", "DecodeError", "Predictor", "Reply", "Session", "current_invocation", "meter"]

_HOMES = {
    "ArgosyError": "argosy.errors",
    "DecodeError": "argosy.errors",
    "Predictor": "argosy.serving.predictor",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is asked for: the toolkit imports this package, and needs none of the server's."""
    if name not in __all__:
        raise AttributeError(f"module `argosy` has no attribute `{name}`")
    return getattr(importlib.import_module(_HOMES.get(name, "argosy.serving.context")), name)
