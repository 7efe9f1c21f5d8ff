"""application/vnd.apache.arrow.stream and application/x-parquet: tables in columns."""

import io
import re
from collections.abc import Iterator
from typing import Any, Final

from argosy.errors import DecodeError
from argosy.media_type import MediaType
from argosy.serving.codecs.forms import from_array, require_room
from argosy.serving.codecs.outputs import not_a_table, to_arrow
from argosy.serving.inputs.kind import InputKind

_KINDS: Final = frozenset(
    {InputKind.TABLE, InputKind.FRAME, InputKind.ARRAY, InputKind.SPARSE, InputKind.RECORDS, InputKind.LIST}
    | {InputKind.TENSORS, InputKind.ANY}
)
_COLUMNS: Final = 65_536
_PARQUET_ROWS: Final = 256  # read at a time: between two batches the size is looked at
_MAGIC: Final = b"PAR1"
_INDEX: Final = re.compile(r"__index_level_[0-9]+__")  # as pandas writes it; its metadata is the client's word, unread


class ArrowCodec:
    """Arrow's stream format both ways; compressed buffers are refused, because nothing bounds what they become."""

    media_type = "application/vnd.apache.arrow.stream"
    kinds = _KINDS
    cells_are_text = False

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """The table as the kind says; an array has a column for each column, all numbers.

        Raises:
            DecodeError: Not an Arrow stream, broken, larger than `INFLATED_BYTES`, or with columns of unsafe types.
        """
        import pyarrow

        try:
            _refuse_compression(bytes(body))
            with pyarrow.ipc.open_stream(pyarrow.py_buffer(body)) as reader:
                _check_schema(reader.schema)
                batches = _bounded(reader)
            table = pyarrow.Table.from_batches(batches, reader.schema)
            table.validate(full=True)
        except DecodeError:
            raise
        except (pyarrow.ArrowException, OSError, ValueError, TypeError, OverflowError, KeyError):
            raise DecodeError("the body is not an Arrow stream", got=f"{len(body)} bytes") from None
        return _as_kind(table, kind)

    def encode(self, prediction: object) -> bytes | memoryview:
        """A table, frame, list of records, dict of columns, or rows, as one stream.

        Raises:
            NotAcceptableError: The prediction is not a table.
        """
        import pyarrow

        table = to_arrow(prediction, self.media_type)
        file = io.BytesIO()
        with pyarrow.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
        return file.getvalue()


class ParquetCodec:
    """Parquet both ways."""

    media_type = "application/x-parquet"
    kinds = _KINDS
    cells_are_text = False

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """The table as the kind says; an array has a column for each column, all numbers.

        Raises:
            DecodeError: Not a Parquet file, broken, larger than `INFLATED_BYTES`, or with columns of unsafe types.
        """
        import pyarrow
        from pyarrow import parquet

        try:
            if bytes(body[-4:]) != _MAGIC:  # also refuses encrypted files, which end in PARE
                raise ValueError
            source = pyarrow.py_buffer(body)
            schema = parquet.read_schema(source)
            _check_schema(schema)
            texts = [field.name for field in schema if _is_text(field.type)]
            with parquet.ParquetFile(source, read_dictionary=texts) as file:
                groups = [file.metadata.row_group(n) for n in range(file.metadata.num_row_groups)]
                require_room(sum(group.total_byte_size for group in groups), "the table, inflated,")
                _check_cells(file.metadata.num_rows, len(schema))
                batches = _bounded(file.iter_batches(_PARQUET_ROWS, use_threads=False))
                table = pyarrow.Table.from_batches(batches, file.schema_arrow)
            _check_spread(table)
            table = table.cast(schema)
            table.validate(full=True)
        except DecodeError:
            raise
        except (pyarrow.ArrowException, OSError, ValueError, TypeError, OverflowError, KeyError, MemoryError):
            raise DecodeError("the body is not a Parquet file", got=f"{len(body)} bytes") from None
        return _as_kind(table, kind)

    def encode(self, prediction: object) -> bytes | memoryview:
        """A table, frame, list of records, dict of columns, or rows, as one file, compressed with Snappy.

        Raises:
            NotAcceptableError: The prediction is not a table, or one with columns that Parquet has no form for.
        """
        import pyarrow
        from pyarrow import parquet

        file = io.BytesIO()
        try:
            parquet.write_table(to_arrow(prediction, self.media_type), file)
        except pyarrow.ArrowNotImplementedError:  # a record without fields within a record
            raise not_a_table(self.media_type) from None
        return file.getvalue()


def _refuse_compression(body: bytes) -> None:
    """Look at every message of the stream before pyarrow inflates it.

    A message is flatbuffers: a table `Message` whose header is a `RecordBatch` (union type 3), or a `DictionaryBatch`
    (2) that holds one in its second field; the fourth field of a RecordBatch is there when its buffers are compressed.

    Raises:
        DecodeError: One is compressed.

    Source:
        arrow/format/Message.fbs, Arrow columnar format 1.5 (read 2026-11-22).
    """
    import pyarrow

    for message in _messages(pyarrow.ipc.MessageReader.open_stream(pyarrow.py_buffer(body))):
        if message.type not in ("record batch", "dictionary"):
            continue
        table = _Flatbuffer.root(message.metadata.to_pybytes()).table(2)
        batch = table.table(1) if message.type == "dictionary" else table
        if batch.has(3):
            raise DecodeError("the Arrow stream is compressed", want="an uncompressed one, or Parquet")


def _messages(reader: Any) -> Iterator[Any]:  # Any: pyarrow has no types
    while True:
        try:
            yield reader.read_next_message()
        except StopIteration:
            return


class _Flatbuffer:
    """One table of a flatbuffer: enough to follow its fields."""

    def __init__(self, octets: bytes, position: int) -> None:
        self._octets = octets
        self._position = position
        self._fields = position - self._number(position, 4, is_signed=True)

    @classmethod
    def root(cls, octets: bytes) -> "_Flatbuffer":
        return cls(octets, int.from_bytes(octets[:4], "little"))

    def has(self, field: int) -> bool:
        return self._offset(field) != 0

    def table(self, field: int) -> "_Flatbuffer":
        at = self._position + self._offset(field)
        return _Flatbuffer(self._octets, at + self._number(at, 4))

    def _offset(self, field: int) -> int:
        at = 4 + 2 * field
        return self._number(self._fields + at, 2) if at < self._number(self._fields, 2) else 0

    def _number(self, at: int, size: int, *, is_signed: bool = False) -> int:
        if not 0 <= at <= len(self._octets) - size:
            raise ValueError
        return int.from_bytes(self._octets[at : at + size], "little", signed=is_signed)


def _check_schema(schema: Any) -> None:  # Any: pyarrow has no types
    if not 0 < len(schema) <= _COLUMNS:
        raise DecodeError("the number of columns is odd", got=len(schema), want=f"1 to {_COLUMNS}")
    if len(set(schema.names)) != len(schema):
        raise DecodeError("two columns have one name")
    for number, field in enumerate(schema, start=1):
        if not _is_safe(field.type, is_nested=False):
            raise DecodeError("the type of the column is not taken", got=f"`{field.type.id}`", where=f"column {number}")


def _is_safe(kind: Any, *, is_nested: bool) -> bool:  # Any: pyarrow has no types
    """Whether cells of a type take as much room in the body as they do later.

    Views and run-end encodings let many cells share few bytes, nulls take none, extension types run code.
    """
    from pyarrow import types

    if types.is_struct(kind):
        return all(_is_safe(kind.field(n).type, is_nested=True) for n in range(kind.num_fields))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _is_safe(kind.value_type, is_nested=True)
    if types.is_dictionary(kind):
        return not is_nested and (types.is_primitive(kind.value_type) or _is_text(kind.value_type))
    if types.is_null(kind):
        return not is_nested
    return types.is_primitive(kind) or types.is_decimal(kind) or types.is_fixed_size_binary(kind) or _is_text(kind)


def _is_text(kind: Any) -> bool:  # Any: pyarrow has no types
    from pyarrow import types

    return any(
        check(kind) for check in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    )


def _check_cells(rows: int, columns: int) -> None:
    require_room(rows * columns * 8, "the table")


def _bounded(batches: Any) -> list[Any]:  # Any: pyarrow has no types
    """All batches, as long as they fit."""
    taken = []
    size = rows = 0
    for batch in batches:
        rows += batch.num_rows
        size += batch.nbytes
        _check_cells(rows, batch.num_columns)
        require_room(size, "the table, inflated,")
        taken.append(batch)
    return taken


def _as_kind(table: Any, kind: InputKind) -> object:  # Any: pyarrow has no types
    import numpy as np
    import pyarrow

    if table.num_rows == 0:
        raise DecodeError("the table has no rows")
    if kind in (InputKind.TABLE, InputKind.ANY):
        return table
    try:
        if kind is InputKind.FRAME:
            named = [name for name in table.column_names if not _INDEX.fullmatch(name)]
            return table.select(named).to_pandas(ignore_metadata=True)
        _check_spread(table)
        if kind in (InputKind.RECORDS, InputKind.LIST):
            return table.to_pylist()
        columns = [column.to_numpy(zero_copy_only=False) for column in table.columns]
        if kind is InputKind.TENSORS:
            by_name = dict(zip(table.column_names, columns, strict=True))
            return {name: column for name, column in by_name.items() if not _INDEX.fullmatch(name)}
    except (pyarrow.ArrowException, ValueError, TypeError, OverflowError):
        raise DecodeError("the table holds cells that Python has no values for") from None
    for number, column in enumerate(columns, start=1):
        if column.dtype.kind not in "biuf":
            raise DecodeError("the column is not of numbers", where=f"column {number}")
    return from_array(np.column_stack(columns), kind)


def _check_spread(table: Any) -> None:  # Any: pyarrow has no types
    """Each cell of a dictionary column becomes a value of its own, however often the dictionary's is repeated."""
    from pyarrow import compute, types

    for column in table.columns:
        if not types.is_dictionary(column.type) or not _is_text(column.type.value_type):
            continue
        lengths = (compute.binary_length(chunk.dictionary).take(chunk.indices) for chunk in column.chunks)
        require_room(sum(compute.sum(chunk).as_py() or 0 for chunk in lengths), "the column, written out,")
