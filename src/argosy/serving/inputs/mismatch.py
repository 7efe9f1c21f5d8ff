"""A value that is not what its annotation says -> a `DecodeError` that names row and field, never the value."""

from argosy.errors import DecodeError

WHAT = "not what the predictor takes"


class MismatchError(Exception):
    """Raised deep inside a value and completed on the way out, so that a value without a fault pays nothing for it.

    Attributes:
        got: The JSON kind that was found.
        want: The one that was annotated.
        what: The fault in one clause.
        path: Field names and 0-based positions, the innermost first.
    """

    def __init__(self, got: object, want: object, what: str = WHAT) -> None:
        super().__init__(what)
        self.got = got
        self.want = want
        self.what = what
        self.path: list[str | int] = []

    def to_decode_error(self, *, has_rows: bool, hint: str | None = None) -> DecodeError:
        """The error that the client reads.

        Args:
            has_rows: Whether the outermost position is that of a row.
            hint: An edit that mends it.
        """
        return DecodeError(self.what, got=self.got, want=self.want, where=place(self.path[::-1], has_rows), hint=hint)


def place(path: list[str | int], has_rows: bool) -> str | None:
    """Where in the body, counted from 1, in words; None for the whole of it.

    >>> place([2, "address", "zip"], has_rows=True)
    'row 3, field `address.zip`'
    >>> place(["tags", 0], has_rows=False)
    'field `tags`, entry 1'
    """
    words: list[str] = []
    names: list[str] = []
    for depth, part in enumerate(path):
        if isinstance(part, str):
            names.append(part)
            continue
        if names:
            words.append(f"field `{'.'.join(names)}`")
            names = []
        words.append(f"row {part + 1}" if has_rows and depth == 0 else f"entry {part + 1}")
    if names:
        words.append(f"field `{'.'.join(names)}`")
    return ", ".join(words) or None


def kind_of(value: object, is_text: bool = False) -> str:
    """What JSON calls a value; the only thing about it that a message may say.

    >>> kind_of(True), kind_of(1.5), kind_of({}), kind_of("", is_text=True)
    ('boolean', 'number', 'object', 'an empty cell')
    """
    if is_text and value == "":
        return "an empty cell"
    if value is None:
        return "null"
    for known, name in (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "text" if is_text else "string"),
        (list, "array"),
        (dict, "object"),
        ((bytes, bytearray, memoryview), "bytes"),
    ):
        if isinstance(value, known):
            return name
    return "something else"
