"""JSON Schema, as an OpenAPI document has it, -> types of Python: `TypedDict` for objects, aliases for the rest.

What a schema says beyond types (lengths, patterns) is the model's to judge. Arrays are `Sequence`, objects without
known names `Mapping`: both take what a program has, and fit what `json.loads` makes.
"""

import builtins
import json
import keyword
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Schema = Mapping[str, Any]
"""Any: whatever JSON Schema says."""

ANYTHING: Final = "Json"
"""The alias of any value of JSON, which the module that uses the types has to have."""
_COMPONENTS: Final = "#/components/schemas/"
_SCALARS: Final = {"string": "str", "number": "float", "integer": "int", "boolean": "bool", "null": "None"}
_WIDTH: Final = 88
_DEEPEST: Final = 32
TAKEN: Final = frozenset(
    {
        *dir(builtins),
        *(ANYTHING, "Any", "Iterator", "Literal", "Mapping", "Sequence", "TypeAlias", "TypedDict"),
        *("Accept", "ClientError", "Config", "ContentType", "EventStreamError", "Input", "Output"),
    }
)
"""Names that the client uses itself."""


@dataclass(slots=True)
class Types:
    """Types that are made one after the other, and what they are defined as.

    Attributes:
        components: The named schemas of the document.
        reserved: Names that the module gives a meaning of its own, beside `TAKEN`.
        definitions: Name of a type -> its source, in the order in which they were met.
    """

    components: Mapping[str, Schema] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()
    definitions: dict[str, str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _depth: int = 0

    def expression(self, schema: object, name: str) -> str:
        """The type of a schema as it is written in an annotation; anything, for what is too deep to be read.

        Args:
            schema: An object of JSON Schema, or true.
            name: What a type is called that has no name of its own.
        """
        if self._depth == _DEEPEST:
            return ANYTHING
        self._depth += 1
        try:
            return self._of(schema, name)
        finally:
            self._depth -= 1

    def _of(self, schema: object, name: str) -> str:
        if not isinstance(schema, Mapping) or not schema:
            return ANYTHING
        if isinstance(reference := schema.get("$ref"), str):
            return self._referred(reference)
        if "const" in schema or "enum" in schema:
            return _literal([schema["const"]] if "const" in schema else schema["enum"])
        for word in ("anyOf", "oneOf"):
            if isinstance(members := schema.get(word), Sequence) and members:
                return _union(self.expression(one, f"{name}{number}") for number, one in enumerate(members, start=1))
        if isinstance(members := schema.get("allOf"), Sequence) and len(members) == 1:
            return self.expression(members[0], name)
        kinds = schema.get("type")
        if isinstance(kinds, Sequence) and not isinstance(kinds, str):
            return _union(self._of_kind(str(kind), schema, name) for kind in kinds)
        return self._of_kind(str(kinds), schema, name)

    def _of_kind(self, kind: str, schema: Schema, name: str) -> str:
        if kind == "array":
            return f"Sequence[{self.expression(schema.get('items'), f'{name}Item')}]"
        if kind == "object":
            if _properties(schema):
                return self._typed_dict(self._free(name), schema)
            return f"Mapping[str, {self.expression(schema.get('additionalProperties'), f'{name}Value')}]"
        return _SCALARS.get(kind, ANYTHING)

    def _referred(self, reference: str) -> str:
        """The name of a component's type, which is made when it is met first."""
        if reference in self._names:
            return self._names[reference]
        component = reference.removeprefix(_COMPONENTS)
        schema = self.components.get(component)
        if not isinstance(schema, Mapping):
            return ANYTHING
        name = self._names[reference] = self._free(component)  # before its parts: they may refer to it
        if schema.get("type") == "object" and _properties(schema):
            return self._typed_dict(name, schema)
        self.definitions[name] = ""  # its place, and its name
        self.definitions[name] = alias(name, self.expression(schema, f"{name}Of"))
        return name

    def _typed_dict(self, name: str, schema: Schema) -> str:
        self.definitions[name] = ""
        listed = schema.get("required")
        required = [key for key in listed if isinstance(key, str)] if isinstance(listed, list) else []
        fields = [
            (key, self.expression(part, f"{name}{class_name(key)}"), key in required)
            for key, part in _properties(schema).items()
        ]
        self.definitions[name] = _typed_dict(name, fields, str(schema.get("description") or ""))
        return name

    def _free(self, wanted: str) -> str:
        """A name for a type that nothing else has."""
        name = class_name(wanted)
        while name in self.definitions or name in self.reserved or name in TAKEN or name in self._names.values():
            name += "Type"
        return name


def _properties(schema: Schema) -> Mapping[str, Any]:
    """The members of an object; none where a stranger's schema has something else there."""
    found = schema.get("properties")
    return found if isinstance(found, Mapping) else {}


def class_name(text: str) -> str:
    """A text as the name of a class.

    >>> class_name("vehicle-detector 2"), class_name("3d"), class_name("größe")
    ('VehicleDetector2', 'Model3d', 'GrE')
    """
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() and not keyword.iskeyword(name) else f"Model{name}"


def alias(name: str, expression: str) -> str:
    """The source of a name for a type, in the form that ruff and black give it."""
    line = f"{name}: TypeAlias = {_string(expression)}"
    return line if len(line) <= _WIDTH else f"{name}: TypeAlias = (\n    {_string(expression)}\n)"


def _typed_dict(name: str, fields: Sequence[tuple[str, str, bool]], description: str) -> str:
    """The source of a type whose fields may be left out in part, for Pythons without `NotRequired`."""
    needed = [(key, kind) for key, kind, is_required in fields if is_required]
    optional = [(key, kind) for key, kind, is_required in fields if not is_required]
    sentence = " ".join(description.split()) or "An object of the model's."
    if not needed:
        return _class(name, optional, sentence, "TypedDict, total=False")
    if not optional:
        return _class(name, needed, sentence, "TypedDict")
    inner = _class(f"_{name}", needed, f"What each {name} has.", "TypedDict")
    return f"{inner}\n\n\n{_class(name, optional, sentence, f'_{name}, total=False')}"


def _class(name: str, fields: Sequence[tuple[str, str]], sentence: str, parents: str) -> str:
    if all(key.isidentifier() and not keyword.iskeyword(key) for key, _ in fields):
        return "\n".join(
            [f"class {name}({parents}):", *_docstring(sentence), "", *(f"    {k}: {v}" for k, v in fields)]
        )
    listed = "".join(f"    {json.dumps(key, ensure_ascii=False)}: {_string(kind)},\n" for key, kind in fields)
    parent, _, total = parents.partition(", ")
    end = f"    {total},\n" if total else ""
    body = textwrap.indent(f"{{\n{listed}}},\n", "    ")
    if parent == "TypedDict":
        return f'{name} = TypedDict(\n    "{name}",\n{body}{end})'
    # Names that no class can have: a type of the optional ones alone, beside the one of the needed.
    beside = f"_More{name}"
    lines = [f"class {name}({parent}, {beside}):", *_docstring(sentence)]
    return f'{beside} = TypedDict(\n    "{beside}",\n{body}{end})\n\n\n' + "\n".join(lines)


def _docstring(sentence: str) -> Iterator[str]:
    text = sentence.replace("\\", "\\\\").replace('"""', "'''").rstrip('"')
    text = text if text.endswith((".", "!", "?")) else f"{text}."
    first, *rest = textwrap.wrap(text, _WIDTH - 11)
    if not rest:
        yield f'    """{first}"""'
        return
    yield f'    """{first}'
    yield from (f"    {line}" for line in rest)
    yield '    """'


def _literal(values: object) -> str:
    listed = list(values) if isinstance(values, Sequence) and not isinstance(values, str) else []
    if not listed or any(value is not None and not isinstance(value, str | int) for value in listed):
        return ANYTHING
    return f"Literal[{', '.join(dict.fromkeys(map(_quoted, listed)))}]"


def _quoted(value: str | int | None) -> str:
    if not isinstance(value, str):
        return repr(value)
    return '"' + value.encode("unicode_escape").decode().replace('"', '\\"') + '"'


def _string(text: str) -> str:
    """A string of Python's, with the quotes that need no escape where there are such."""
    return f"'{text}'" if '"' in text and "'" not in text and "\\" not in text else json.dumps(text, ensure_ascii=False)


def _union(members: Iterator[str]) -> str:
    """`X | Y`, each once; anything that takes in all others is that alone."""
    found = list(dict.fromkeys(members))
    if ANYTHING in found or not found:
        return ANYTHING
    return " | ".join(sorted(found, key=lambda one: one == "None"))
