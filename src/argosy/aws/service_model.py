"""botocore's model of an API of AWS: what a request may hold, judged in the service's words, and what an answer holds.

The sentences were seen in error reports: https://github.com/aws/amazon-sagemaker-examples/issues/2228 and
https://github.com/aws-samples/sagemaker-ml-workflow-with-apache-airflow/issues/3 (read 2026-11-23). Those about missing
members, sizes and enumerations are the ones that AWS's services share.
"""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final

from argosy.errors import UsageError

Members = Mapping[str, Any]
"""A structure as it came in JSON; Any: the API's model says what each member is."""

_SCALARS: Final = {"string": str, "boolean": bool, "integer": int, "long": int, "float": float, "double": float}
_NUMBERS: Final = frozenset({"integer", "long", "float", "double", "timestamp"})
_HIDDEN: Final = "***"
_ASCII: Final = 128
_TOKEN: Final = re.compile(r"\\p\{\w+\}|\\.|.", re.DOTALL)
_POSIX: Final = {"ASCII": r"\x00-\x7f", "Print": r"\x20-\x7e", "Alnum": "A-Za-z0-9"}
"""Java's classes that are not Unicode's."""


@cache
def load(service: str) -> "ServiceModel":
    """The model of a service, as botocore names it; read once, since that takes a fifth of a second.

    Raises:
        UsageError: botocore is not installed.
    """
    try:
        import botocore
        import botocore.model
    except ImportError as error:
        raise UsageError(
            f"the model of the `{service}` API comes with botocore, which is not installed",
            hint="pip install 'argosy[aws]'",
        ) from error
    described = loader().load_service_model(service, "service-2")
    return ServiceModel(botocore.model.ServiceModel(described), f"botocore {botocore.__version__}")


@cache
def loader() -> Any:
    """botocore's loader of its models, one for all: whoever makes clients with it reads no model twice."""
    import botocore.loaders

    return botocore.loaders.Loader()


class ServiceModel:
    """The operations of a service.

    Args:
        model: botocore's; Any: it has no types.
        source: What it was read from, for errors.
    """

    def __init__(self, model: Any, source: str) -> None:
        self._model = model
        self.source = source

    def operation(self, name: str) -> "Operation | None":
        """An operation, None when the service has none of that name."""
        if name not in self._model.operation_names:
            return None
        return Operation(self._model.operation_model(name))

    def enumeration(self, shape: str) -> tuple[str, ...]:
        """The values of a shape; none when the service has no such shape, or it may be any text."""
        if shape not in self._model.shape_names:
            return ()
        return tuple(getattr(self._model.shape_for(shape), "enum", ()))


class Operation:
    """One operation: what goes in and what comes out.

    Args:
        model: botocore's; Any: it has no types.
    """

    def __init__(self, model: Any) -> None:
        self.name: str = model.name
        self._input: Any = model.input_shape
        self._output: Any = model.output_shape

    def unknown_members(self, request: Members) -> list[str]:
        """Paths of members that the model does not have, as the API spells them."""
        return list(_unknown(self._input, request, "")) if self._input else list(request)

    def mistyped(self, request: object) -> str | None:
        """Why the request cannot be read: the first value of a wrong type, in the service's words."""
        if self._input is None:
            return None
        return next(_mistyped(self._input, request), None)

    def ill_typed(self, request: Members) -> str | None:
        """Why boto3 would not send a request, values of Python's in it (bytes, files, dates), in boto3's words."""
        import botocore.validate

        if self._input is None:
            return None
        report = botocore.validate.ParamValidator().validate(request, self._input)
        return " ".join(report.generate_report().split()) if report.has_errors() else None

    def violations(self, request: Members) -> list[str]:
        """The constraints that a well-typed request breaks, one sentence each, in the service's words."""
        return list(_violations(self._input, request, "")) if self._input else []

    def answer(self, members: Members) -> dict[str, Any]:
        """Some members without those that the operation's answer does not have, in inner structures too."""
        return {} if self._output is None else dict(_kept(self._output, members))

    @property
    def required_output(self) -> frozenset[str]:
        """The members that every answer has."""
        return frozenset(self._output.required_members if self._output else ())


def _is_free(shape: Any) -> bool:
    """Whether it is JSON of which the model says no more, as the details of a change set are."""
    return bool(getattr(shape, "is_document_type", False))


def _unknown(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Any: botocore's shape, and a value of any JSON type."""
    if _is_free(shape):
        return
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, member in value.items():
            inner = f"{path}.{name}" if path else name
            if name not in shape.members:
                yield inner
            else:
                yield from _unknown(shape.members[name], member, inner)
    elif shape.type_name == "list" and isinstance(value, Sequence) and not isinstance(value, str):
        for member in value:
            yield from _unknown(shape.member, member, f"{path}[]")


def _mistyped(shape: Any, value: Any) -> Iterator[str]:
    """Sentences of AWS's JSON services about a value that is no value of its type. A null counts as absent."""
    if value is None or _is_free(shape):
        return
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, Mapping):
            yield _unexpected(value)
            return
        for name, member in value.items():
            if name in shape.members:
                yield from _mistyped(shape.members[name], member)
    elif kind == "list":
        if not isinstance(value, list):
            yield "Expected list or null"
            return
        for member in value:
            yield from _mistyped(shape.member, member)
    elif kind == "map":
        if not isinstance(value, Mapping):
            yield "Expected map or null"
            return
        for member in value.values():
            yield from _mistyped(shape.value, member)
    elif not _is_scalar(kind, value):
        yield f"{_token(value)} can not be converted to {_JAVA.get(kind, 'a String')}"


_JAVA: Final = {
    "integer": "an Integer",
    "long": "a Long",
    "float": "a Float",
    "double": "a Double",
    "boolean": "a Boolean",
    "timestamp": "milliseconds since epoch",
}


def _is_scalar(kind: str, value: object) -> bool:
    if kind in _NUMBERS:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        is_number = whole if kind in ("integer", "long") else isinstance(value, int | float)
        return is_number and not isinstance(value, bool)
    return isinstance(value, _SCALARS.get(kind, str))


def _token(value: object) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, int | float):
        return "NUMBER_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "START_OBJECT or START_ARRAY"


def _unexpected(value: object) -> str:
    if isinstance(value, list):
        return "Unexpected list element termination"
    return f"Unexpected token {_token(value)}: expected the start of a structure"


def _violations(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Sentences about a well-typed value, those of its members included."""
    if _is_free(shape):
        return
    kind = shape.type_name
    for constraint in _constraints(shape, value):
        yield _sentence(shape, value, path, constraint)
    if kind == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield f"Value null at '{_joined(path, name)}' failed to satisfy constraint: Member must not be null"
        for name, member in value.items():
            if member is not None and name in shape.members:
                yield from _violations(shape.members[name], member, _joined(path, name))
    elif kind == "list":
        yield from _of_list(shape, value, path)
    elif kind == "map":
        if any(True for key in value for _ in _constraints(shape.key, key)):
            yield _sentence(shape, value, path, f"Map keys must satisfy constraint: [{_all(shape.key)}]")
        if any(True for member in value.values() for _ in _constraints(shape.value, member or "")):
            yield _sentence(shape, value, path, f"Map value must satisfy constraint: [{_all(shape.value)}]")


def _of_list(shape: Any, value: Sequence[Any], path: str) -> Iterator[str]:
    """A structure in a list has a path of its own, a scalar has not."""
    if shape.member.type_name in ("structure", "list", "map"):
        for number, member in enumerate(value, start=1):
            yield from _violations(shape.member, member, f"{path}.{number}.member")
    elif any(True for member in value for _ in _constraints(shape.member, member)):
        yield _sentence(shape, value, path, f"Member must satisfy constraint: [{_all(shape.member)}]")


def _sentence(shape: Any, value: Any, path: str, constraint: str) -> str:
    text = _HIDDEN if shape.metadata.get("sensitive") else _printed(value)
    return f"Value '{text}' at '{path}' failed to satisfy constraint: {constraint}"


def _printed(value: Any) -> str:
    """As the service prints it, but for the values of a map, which may be secrets."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}={_HIDDEN}" for name in value) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_printed(member) for member in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _joined(path: str, name: str) -> str:
    """The path of a member: the service writes the first letter small."""
    small = name[:1].lower() + name[1:]
    return f"{path}.{small}" if path else small


def _constraints(shape: Any, value: Any) -> Iterator[str]:
    """The constraints of a shape's own that a value breaks."""
    for text, is_kept in _rules(shape):
        if not is_kept(value):
            yield text


def _all(shape: Any) -> str:
    return ", ".join(text for text, _ in _rules(shape))


def _rules(shape: Any) -> Iterator[tuple[str, Callable[[Any], bool]]]:
    """Each constraint of a shape with its test; Any: a value of the shape's type."""
    limits, kind = shape.metadata, shape.type_name
    if kind == "structure":
        return
    noun = "value" if kind in _NUMBERS else "length"
    size: Callable[[Any], float] = float if kind in _NUMBERS else len
    if (most := limits.get("max")) is not None:
        yield f"Member must have {noun} less than or equal to {most}", lambda value: size(value) <= most
    if (least := limits.get("min")) is not None:
        yield f"Member must have {noun} greater than or equal to {least}", lambda value: size(value) >= least
    if pattern := limits.get("pattern"):
        yield (
            f"Member must satisfy regular expression pattern: {pattern}",
            lambda value: _compiled(pattern, value.isascii()).fullmatch(value) is not None,
        )
    if kind == "string" and (values := shape.enum):
        yield f"Member must satisfy enum value set: [{', '.join(values)}]", lambda value: value in values


@lru_cache(maxsize=512)
def _compiled(pattern: str, is_ascii: bool) -> re.Pattern[str]:
    """A pattern of Java's, whose classes Python does not know; one that is none in Python either judges nothing."""
    end = _ASCII if is_ascii else sys.maxunicode + 1
    parts, is_inside = [], False
    for token in _TOKEN.findall(pattern):
        if token.startswith("\\p{"):
            name = token[3:-1]
            members = _POSIX.get(name) or _category(name, end)
            parts.append(members if is_inside else f"[{members}]")
            continue
        is_inside = token == "[" or (is_inside and token != "]")
        parts.append(r"\Z" if token == r"\z" else token)
    try:
        return re.compile("".join(parts))
    except re.error:
        return re.compile(r"(?s:.*)")


@lru_cache(maxsize=16)
def _category(letter: str, end: int) -> str:
    """The characters of a category below `end`, as ranges for the inside of a class."""
    ranges: list[list[int]] = []
    for code in range(end):
        if unicodedata.category(chr(code))[0] == letter:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


def _kept(shape: Any, members: Members) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        if name in shape.members and value is not None:
            yield name, _shaped(shape.members[name], value)


def _shaped(shape: Any, value: Any) -> Any:
    if _is_free(shape):
        return value
    if shape.type_name == "structure":
        return dict(_kept(shape, value))
    if shape.type_name == "map":
        return {name: _shaped(shape.value, member) for name, member in value.items()}
    if shape.type_name == "list":
        return [_shaped(shape.member, member) for member in value]
    return value
