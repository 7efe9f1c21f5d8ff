"""What nobody wrote down of how AWS Marketplace counts, as options."""

from dataclasses import dataclass
from enum import StrEnum


class Counted(StrEnum):
    """What an answer is charged as whose metering header says nothing that can be charged."""

    ONE_UNIT = "one-unit"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """How answers are counted where AWS does not say it.

    UNSURE: what AWS makes of a metering header that it cannot read, of one with another dimension than
    `inference.count`, or with a number that is no integer; here as if there were none, so one unit.

    UNSURE: whether 0 units are taken as 0; here they are.

    Attributes:
        malformed: What an answer with such a header is charged as.
        zero: What an answer with 0 units is charged as.
    """

    malformed: Counted = Counted.ONE_UNIT
    zero: Counted = Counted.NOTHING
