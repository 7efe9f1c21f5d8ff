"""msgspec Structs and pydantic models: their own library validates, its errors are told in our words.

What such a class takes is its library's business (pydantic takes `"1"` for an integer unless the model is strict;
unknown fields are ignored unless the class forbids them). Both are imported by the user's module; here only then.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from argosy.errors import LoadError
from argosy.serving.inputs.definitions import PREFIX, Definitions, Schema
from argosy.serving.inputs.mismatch import MismatchError, kind_of
from argosy.serving.inputs.shapes import by_position

_ANY_OBJECT: Final[Schema] = {"type": "object"}

_MSGSPEC_PLACE: Final = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_MSGSPEC_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_MSGSPEC_KIND: Final = re.compile(r"Expected `([^`]+)`, got `([^`]+)`$")
_MSGSPEC_MISSING: Final = re.compile(r"Object missing required field `([^`]+)`$")
_MSGSPEC_LIMIT: Final = re.compile(r"Expected (.+)$", re.DOTALL)

_JSON_WORDS: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}

_PYDANTIC_SPEAKS: Final = re.compile(
    r".*_type|missing|bool_parsing|int_parsing|float_parsing|int_from_float|finite_number|enum|literal_error|multiple_of"
    r"|(greater|less)_than(_equal)?|too_short|too_long|string_(too_short|too_long|pattern_mismatch)|decimal_(max|whole).*"
)
"""Types of pydantic's errors whose sentence is made of the model alone, not of the value."""


def is_struct(annotation: object) -> bool:
    """Whether it is a class derived from `msgspec.Struct`."""
    return _has_ancestor(annotation, "msgspec.Struct")


def is_model(annotation: object) -> bool:
    """Whether it is a model or dataclass of pydantic 2."""
    return isinstance(annotation, type) and "__pydantic_core_schema__" in vars(annotation)


def _has_ancestor(annotation: object, name: str) -> bool:
    return isinstance(annotation, type) and any(f"{c.__module__}.{c.__qualname__}" == name for c in annotation.__mro__)


class ForeignShape:
    """A record that a library validates.

    Among cells, a row without names gives the fields by position, and an empty cell that its field does not take is
    null, or not given if it may not be null.
    """

    want: Final = "object"
    exact: Final = None

    def __init__(
        self,
        owner: type,
        fields: Mapping[str, object],
        validate: Callable[[object, bool], object],
        write: Callable[[Definitions], Schema],
    ) -> None:
        self.owner = owner
        self.fields = fields
        """Name -> annotation, in their order."""
        self._validate = validate
        self._write = write

    @property
    def names(self) -> list[str]:
        """The names of its fields, in their order."""
        return list(self.fields)

    def convert(self, value: object, is_text: bool) -> object:
        """An object of the class."""
        if not is_text:
            return self._validate(value, False)
        if type(value) is list:
            value = by_position(value, self.names)
        if type(value) is not dict:
            return self._validate(value, True)
        return self._convert_cells(dict(value))

    def _convert_cells(self, cells: dict[str, object]) -> object:
        """Validate; while an empty cell is what fails, try it as null, then as not given."""
        while True:
            try:
                return self._validate(cells, True)
            except MismatchError as mismatch:
                name = mismatch.path[-1] if mismatch.path else None
                if not isinstance(name, str) or cells.get(name, 0) not in ("", None):
                    raise
                if cells[name] == "":
                    cells[name] = None
                else:
                    del cells[name]

    def schema(self, definitions: Definitions) -> Schema:
        """The schema as the library writes it."""
        return self._write(definitions)


def struct_shape(owner: type) -> ForeignShape:
    """The shape of a `msgspec.Struct`."""
    import msgspec

    def validate(value: object, is_text: bool) -> object:
        try:
            return msgspec.convert(value, owner, strict=not is_text)
        except msgspec.ValidationError as error:
            raise _from_msgspec(str(error)) from None

    def write(definitions: Definitions) -> Schema:
        try:
            (schema,), parts = msgspec.json.schema_components([owner], ref_template=PREFIX + "{name}")
        except TypeError:  # a field of a type of the user's own
            return dict(_ANY_OBJECT)
        return definitions.adopt(schema, parts)

    fields = {field.encode_name: field.type for field in msgspec.structs.fields(owner)}
    return ForeignShape(owner, fields, validate, write)


def model_shape(owner: type, *, is_output: bool = False) -> ForeignShape:
    """The shape of a pydantic model.

    Args:
        owner: The class.
        is_output: Whether the schema is to say what it is written as, not what is read.
    """
    import pydantic

    adapter: pydantic.TypeAdapter[object]
    mode: Literal["serialization", "validation"] = "serialization" if is_output else "validation"
    try:
        adapter = pydantic.TypeAdapter(owner)
        written = adapter.json_schema(ref_template=PREFIX + "{model}", mode=mode)
    except pydantic.errors.PydanticInvalidForJsonSchema:  # a field of a type of the user's own
        written = dict(_ANY_OBJECT)
    except pydantic.PydanticUserError as error:
        raise LoadError(f"pydantic cannot make `{owner.__name__}`", got=f"`{error.code}`") from error
    parts = written.pop("$defs", {})
    fields = getattr(owner, "__pydantic_fields__", {})
    known = _property_names([written, *parts.values()]) | fields.keys()

    def validate(value: object, is_text: bool) -> object:
        try:
            return adapter.validate_python(value)
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            raise _from_pydantic(dict(first), known) from None

    def write(definitions: Definitions) -> Schema:
        return definitions.adopt({"$ref": PREFIX + owner.__name__}, {owner.__name__: written, **parts})

    named: dict[str, object] = {}
    for name, field in fields.items():
        alias = getattr(field, "validation_alias", None)
        named[alias if isinstance(alias, str) and alias else name] = getattr(field, "annotation", Any)
    return ForeignShape(owner, named, validate, write)


def _from_msgspec(text: str) -> MismatchError:
    """What msgspec says, without what it quotes of the body."""
    found = _MSGSPEC_PLACE.match(text)
    said, place = (found["what"], found["path"] or "") if found else ("", "")
    if kinds := _MSGSPEC_KIND.match(said):
        mismatch = MismatchError(_in_json(kinds[2]), _in_json(kinds[1]))
    elif limit := _MSGSPEC_LIMIT.match(said):
        mismatch = MismatchError(None, limit[1])
    elif said.startswith("Invalid enum value"):
        mismatch = MismatchError(None, "one of its allowed values")
    else:
        mismatch = MismatchError(None, None)
    for step in _MSGSPEC_STEP.finditer(place):
        mismatch.path.insert(0, step[1] if step[1] is not None else int(step[2]))
    if missing := _MSGSPEC_MISSING.match(said):
        mismatch.what, mismatch.got = "a field is missing", "nothing"
        mismatch.path.insert(0, missing[1])
    return mismatch


def _in_json(kinds: str) -> str:
    """`int | null` in the words of JSON: `integer or null`."""
    return " or ".join(_JSON_WORDS.get(kind, kind) for kind in kinds.split(" | "))


def _from_pydantic(error: Mapping[str, object], known: frozenset[str]) -> MismatchError:
    """What pydantic says, without what it quotes of the body."""
    code, location = str(error["type"]), error["loc"]
    if code == "missing":
        mismatch = MismatchError("nothing", None, "a field is missing")
    elif _PYDANTIC_SPEAKS.fullmatch(code):
        said = str(error["msg"]).partition(", ")[0]
        mismatch = MismatchError(kind_of(error["input"]), said.removeprefix("Input should be "))
    else:
        mismatch = MismatchError(kind_of(error["input"]), f"what pydantic takes, not `{code}`")
    assert isinstance(location, tuple)
    mismatch.path += [part for part in reversed(location) if isinstance(part, int) or part in known]
    return mismatch


def _property_names(schemas: list[Schema]) -> frozenset[str]:
    """The names of all fields: an error's place may also hold keys out of the body, and those are not repeated."""
    names: set[str] = set()
    for schema in schemas:
        properties = schema.get("properties")
        if isinstance(properties, dict):
            names |= properties.keys()
    return frozenset(names)
