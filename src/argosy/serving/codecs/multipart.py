"""multipart/form-data (RFC 7578): each part decoded by its own Content-Type."""

import re
from typing import Final, NamedTuple

from argosy import media_type
from argosy.errors import DecodeError, InvocationError, NotAcceptableError
from argosy.media_type import MediaType
from argosy.serving import codecs
from argosy.serving.codecs.text import to_text
from argosy.serving.inputs.kind import FieldKind, FieldKinds, InputKind

_PARTS: Final = 1000  # as many as Django's DATA_UPLOAD_MAX_NUMBER_FIELDS and Starlette's max_fields and max_files
_HEAD_BYTES: Final = 8192
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")  # RFC 2046, section 5.1.1
_FIELD: Final = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*")
_PARAMETER: Final = re.compile(r';[ \t]*(name|filename|filename\*)=(?:"((?:[^"\\\r\n]|\\.)*)"|([^";\s]+))[ \t]*')
_PLAIN: Final = MediaType("text", "plain")
_OCTETS: Final = "application/octet-stream"
_MANY: Final = frozenset({InputKind.DICT, InputKind.RECORDS, InputKind.ANY})
_UNDECODED: Final = frozenset({InputKind.TEXT, InputKind.BYTES, InputKind.VIEW})


class _Part(NamedTuple):
    name: str
    is_file: bool
    content_type: MediaType | None
    content: bytes
    place: str


class MultipartCodec:
    """Forms in: a dict of the fields by name, a list of values where a name comes several times.

    A field that is wanted as text is that, by the charset of the part's Content-Type or as UTF-8, and one that is
    wanted as bytes is those that came, whatever the part is. Any other is decoded: a part without a Content-Type as
    text; a file without one, and a media type that no codec speaks, as bytes. Where the predictor wants one thing,
    text, an image or a table, it is the only file of the form, or its only part.
    """

    media_type = "multipart/form-data"
    kinds = _MANY | _UNDECODED | {InputKind.IMAGE, InputKind.ARRAY, InputKind.FRAME, InputKind.TABLE}
    cells_are_text = True

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """The fields, or the only file.

        Raises:
            DecodeError: As `decode_form`.
        """
        return self.decode_form(body, content_type, _as_it_is if kind in _MANY else kind)

    def decode_form(self, body: bytes | memoryview, content_type: MediaType, wanted: FieldKinds | InputKind) -> object:
        """The fields, each as wanted; or, for a kind, the only file.

        Raises:
            DecodeError: The form is broken, has no final boundary or more than 1000 parts, or a part is not what its
                Content-Type says, or not text where that is wanted; names the part by its position.
        """
        boundary = content_type.parameter("boundary") or ""
        if not _BOUNDARY.fullmatch(boundary):
            raise DecodeError("the Content-Type has no `boundary`", want="1 to 70 characters of RFC 2046")
        parts = _parts(bytes(body), boundary.encode())
        if isinstance(wanted, InputKind):
            files = [part for part in parts if part.is_file] or parts
            if len(files) != 1:
                raise DecodeError("the form has several files", got=len(files), want="one")
            return _decoded(files[0], wanted)
        values: dict[str, list[object]] = {}
        for part in parts:
            values.setdefault(part.name, []).append(_decoded(part, wanted(part.name).kind))
        return {name: _field(held, is_list=wanted(name).is_list) for name, held in values.items()}

    def encode(self, prediction: object) -> bytes | memoryview:
        """Never: answers are no forms.

        Raises:
            NotAcceptableError: Always.
        """
        raise NotAcceptableError("answers are no forms", got=f"`{self.media_type}` in Accept", want="application/json")


def _as_it_is(name: str) -> FieldKind:
    return FieldKind()


def _field(values: list[object], *, is_list: bool) -> object:
    """The values of one name: a list where there are several, or where one is wanted and the only value is none."""
    if len(values) > 1 or (is_list and not isinstance(values[0], list)):
        return values
    return values[0]


def _parts(body: bytes, boundary: bytes) -> list[_Part]:
    delimiter = b"\r\n--" + boundary
    form = b"\r\n" + body
    if form.count(delimiter) > _PARTS + 1:
        raise DecodeError("the form has too many parts", want=f"at most {_PARTS}")
    pieces = form.split(delimiter)
    if len(pieces) < 2 or pieces[0].strip(b"\r\n"):
        raise DecodeError("the body does not begin with the boundary", got=f"{len(body)} bytes")
    parts: list[_Part] = []
    for number, piece in enumerate(pieces[1:], start=1):
        if piece.startswith(b"--"):
            if piece[2:].strip(b" \t\r\n") or number != len(pieces) - 1:
                raise DecodeError("something follows the final boundary", where=f"part {number}")
            if not parts:
                raise DecodeError("the form has no parts")
            return parts
        line, found, rest = piece.partition(b"\r\n")
        if not found or line.strip(b" \t"):
            raise DecodeError("the boundary does not end its line", where=f"part {number}")
        parts.append(_part(rest, f"part {number}"))
    raise DecodeError("the form has no final boundary", got=f"{len(parts)} parts")


def _part(piece: bytes, place: str) -> _Part:
    head, found, content = piece.partition(b"\r\n\r\n")
    if not found or len(head) > _HEAD_BYTES:
        raise DecodeError("the head of the part does not end", where=place, want=f"at most {_HEAD_BYTES} bytes")
    fields: dict[str, str] = {}
    try:
        lines = head.decode().split("\r\n")
    except UnicodeDecodeError:
        raise DecodeError("the head of the part is not UTF-8", where=place) from None
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None or field[1].lower() in fields:
            raise DecodeError("the head of the part has a line that is no header field, or one twice", where=place)
        fields[field[1].lower()] = field[2]
    parameters = _disposition(fields.get("content-disposition", ""))
    if "name" not in parameters:
        raise DecodeError("the part has no `Content-Disposition: form-data` with a name", where=place)
    content_type = None
    if "content-type" in fields:
        content_type = media_type.parse(fields["content-type"])
        if content_type is None:
            raise DecodeError("the Content-Type of the part is none", where=place)
    return _Part(parameters["name"], "filename" in parameters, content_type, content, place)


def _disposition(field: str) -> dict[str, str]:
    """`name` and `filename` of a Content-Disposition; browsers write a quote in them as `%22`."""
    kind, _, _ = field.partition(";")
    if kind.strip().lower() != "form-data":
        return {}
    position = len(kind)
    found: dict[str, str] = {}
    while position < len(field):
        parameter = _PARAMETER.match(field, position)
        if parameter is None:
            return {}
        value = re.sub(r'\\(["\\])', r"\1", parameter[2]) if parameter[2] is not None else parameter[3]
        name = parameter[1].rstrip("*")
        found[name] = value.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
        position = parameter.end()
    return found


def _decoded(part: _Part, kind: InputKind) -> object:
    if kind is InputKind.BYTES:
        return part.content
    if kind is InputKind.VIEW:
        return memoryview(part.content)
    content_type = part.content_type or (None if part.is_file else _PLAIN)
    is_unknown = content_type is None or content_type.essence == _OCTETS
    if kind is InputKind.IMAGE and is_unknown:
        content_type = MediaType("image", "*")
    try:
        if kind is InputKind.TEXT:
            return to_text(part.content, content_type or _PLAIN)
        if content_type == _PLAIN:
            return to_text(part.content, _PLAIN) if kind is InputKind.ANY else _refused(part)
        codec = None if content_type is None else codecs.find(content_type.essence)
        if codec is None or content_type is None:
            return part.content if kind is InputKind.ANY else _refused(part)
        if kind not in codec.kinds or content_type.type == "multipart":
            return _refused(part)
        return codec.decode(part.content, kind, content_type)
    except InvocationError as error:
        place = f"{part.place}, {error.where}" if error.where is not None and error.where != part.place else part.place
        raise DecodeError(error.what, got=error.got, want=error.want, where=place, hint=error.hint) from None


def _refused(part: _Part) -> object:
    raise DecodeError("the part is of a media type that the predictor does not take", where=part.place)
