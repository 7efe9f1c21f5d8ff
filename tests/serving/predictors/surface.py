"""Predictors whose annotations become the OpenAPI document that schemathesis reads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from argosy import Predictor, current_invocation, meter


@dataclass
class Passenger:
    name: str
    age: float
    cabin: Literal["first", "second", "steerage"]
    children: int = 0
    allergies: list[str] | None = None


class Verdict(TypedDict):
    is_adult: bool
    fare: float


class Passengers(Predictor):
    """Takes records and answers with records."""

    def predict(self, inputs: list[Passenger]) -> list[Verdict]:
        return [{"is_adult": one.age >= 18, "fare": 10.0 if one.cabin == "first" else 5.0} for one in inputs]


class Rows(Predictor):
    """Takes an array."""

    def predict(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ones(len(inputs))


class Anything(Predictor):
    """Says nothing of what it takes."""

    def predict(self, inputs: Any) -> Any:
        return {"taken": type(inputs).__name__}


class Hosts(Predictor):
    """Takes records, whatever adapter and session they are for; loads from any folder, and any adapter."""

    def load_adapter(self, name: str, path: Path) -> None:
        pass

    def predict(self, inputs: list[Passenger]) -> list[Verdict]:
        invocation = current_invocation()
        invocation.reply_custom_attributes(f"adapter={invocation.adapter}")
        meter(len(inputs))
        return Passengers().predict(inputs)


class OfMany(Hosts):
    """The same for a multi-model endpoint, which has no adapters."""
