"""The metering header of an answer: what the container says that the invocation is charged as.

Source: AWS Marketplace seller guide, "Reporting usage for inference pricing" and "Machine learning product pricing"
(read 2026-11-23).
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

_KEYS: Final = {"Dimension", "ConsumedUnits"}
_MOST: Final = Decimal(2**63 - 1)
"""What a counter of 64 bits holds; a larger number is a mistake, and would take all memory to write down."""


@dataclass(frozen=True, slots=True)
class Units:
    """What one header says.

    Attributes:
        dimension: What is counted; `inference.count` is the only one that AWS writes down.
        consumed: How much of it, exactly as it was written: it may be 0, negative or no integer.
    """

    dimension: str
    consumed: Decimal

    @property
    def fault(self) -> str:
        """What is wrong with the number, as a clause; empty where it is an integer above 0."""
        is_count = self.consumed > 0 and self.consumed == self.consumed.to_integral_value()
        return "" if is_count else f"ConsumedUnits is {self.consumed}"


def parse(value: str) -> Units | str:
    """What the value of the header says, or what is wrong with it, as a clause.

    >>> parse('{"Dimension": "inference.count", "ConsumedUnits": 3}')
    Units(dimension='inference.count', consumed=Decimal('3'))
    >>> parse("3")
    'want an object with Dimension and ConsumedUnits alone'
    """
    try:
        parsed: Any = json.loads(value, parse_int=Decimal, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, ArithmeticError, RecursionError):
        return "it is not JSON"
    if not value.isascii() or not value.isprintable():
        return "it is not one line of ASCII"
    if not isinstance(parsed, dict) or set(parsed) != _KEYS:
        return f"want an object with {' and '.join(sorted(_KEYS, reverse=True))} alone"
    dimension, consumed = parsed["Dimension"], parsed["ConsumedUnits"]
    if not isinstance(dimension, str):
        return "Dimension is no string"
    if not isinstance(consumed, Decimal):
        return "ConsumedUnits is no number"
    if consumed.copy_abs() > _MOST:
        return f"ConsumedUnits is beyond {_MOST}"
    return Units(dimension, consumed)


def _refuse(name: str) -> Any:
    """`NaN` and `Infinity`, which Python reads and JSON does not have."""
    raise ValueError(name)
