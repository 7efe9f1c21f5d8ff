"""The forms in which a codec hands over a body."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple


class InputKind(StrEnum):
    """What a codec is asked to decode to; the value is how a user would write it."""

    ARRAY = "np.ndarray"
    """float64 of shape (rows, columns), or whatever dtype and shape a self-describing body has."""
    ARRAYS = "dict[str, np.ndarray]"
    """Named arrays."""
    TENSORS = "arrays"
    """What `signatures/cells.py` makes arrays of: JSON-like values, rows of text, an array, or arrays by name."""
    SPARSE = "scipy.sparse.csr_matrix"
    FRAME = "pandas.DataFrame"
    TABLE = "pyarrow.Table"
    IMAGE = "PIL.Image.Image"
    LIST = "list"
    DICT = "dict"
    RECORDS = "records"
    """JSON-like values that a typed layer validates: one record is a dict, several are a list of dicts."""
    TEXT = "str"
    BYTES = "bytes"
    VIEW = "memoryview"
    """The body where it lies, not copied: it is somebody else's memory again when `predict` has returned."""
    ANY = "Any"
    """Whatever the media type decodes to most naturally."""


class FieldKind(NamedTuple):
    """What a field of a form is wanted as.

    Attributes:
        kind: `TEXT`, `BYTES`, or `ANY` for what the part decodes to.
        is_list: Whether it is a list even when its name comes once.
    """

    kind: InputKind = InputKind.ANY
    is_list: bool = False


FieldKinds = Callable[[str], FieldKind]
"""Name of a field -> what it is wanted as."""
