"""The forms in which a codec hands over a body."""

from enum import StrEnum


class InputKind(StrEnum):
    """What a codec is asked to decode to; the value is how a user would write it."""

    ARRAY = "np.ndarray"
    """float64 of shape (rows, columns), or whatever dtype and shape a self-describing body has."""
    ARRAYS = "dict[str, np.ndarray]"
    """Named arrays."""
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
