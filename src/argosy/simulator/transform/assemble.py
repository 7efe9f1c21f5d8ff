"""Second half of a transform job's data path: the container's answers, in input order, into one output object."""

from enum import StrEnum
from typing import BinaryIO


class AssembleWith(StrEnum):
    """What is put between the container's answers."""

    NONE = "None"
    LINE = "Line"


class Assembler:
    """Writes one output object.

    `None` concatenates the answers. `Line` ends each with a newline, unless it ends with one already: whether SageMaker
    doubles it there nobody wrote down; an empty line after every record would break what AWS recommends `Line` for
    (JSON Lines, CSV).

    Args:
        output: Where the object goes, from its beginning.
        assemble_with: What is put between answers.
    """

    def __init__(self, output: BinaryIO, assemble_with: AssembleWith) -> None:
        self._output = output
        self._assemble_with = assemble_with
        self._last = b""

    def write(self, part: bytes) -> None:
        """Add a part of the present answer."""
        if part:
            self._output.write(part)
            self._last = part[-1:]

    def end_answer(self) -> None:
        """The present answer is whole."""
        if self._assemble_with is AssembleWith.LINE and self._last != b"\n":
            self._output.write(b"\n")
        self._last = b""
