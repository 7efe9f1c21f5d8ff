"""A record's annotation -> what each field of a form is wanted as: `str` its text, `bytes` its bytes.

Everything else is wanted as what the part's own Content-Type decodes to.
"""

from argosy.errors import LoadError
from argosy.serving.inputs.foreign import ForeignShape
from argosy.serving.inputs.kind import FieldKind, FieldKinds, InputKind
from argosy.serving.inputs.records import Builder
from argosy.serving.inputs.scalars import ANYTHING, NULL, OCTETS, STRING, Scalar
from argosy.serving.inputs.shapes import ListShape, MappingShape, RecordShape, Shape, UnionShape


def of_shape(shape: Shape) -> FieldKinds | None:
    """What the fields of a form are wanted as by a record, a mapping or a union of them; None for any other shape."""
    if isinstance(shape, MappingShape):
        item = _of_field(shape.item)
        return lambda name: item
    if isinstance(shape, UnionShape):
        return _of_members([found for found in map(of_shape, shape.members) if found is not None])
    if isinstance(shape, RecordShape):
        known = {field.name: _of_field(field.shape) for field in shape.fields}
    elif isinstance(shape, ForeignShape):
        known = {name: _of_annotation(annotation) for name, annotation in shape.fields.items()}
    else:
        return None
    return lambda name: known.get(name, FieldKind())


def _of_members(members: list[FieldKinds]) -> FieldKinds | None:
    def wanted(name: str) -> FieldKind:
        kinds = {member(name) for member in members}
        return kinds.pop() if len(kinds) == 1 else FieldKind()

    return wanted if members else None


def _of_annotation(annotation: object) -> FieldKind:
    try:
        return _of_field(Builder().shape(annotation))
    except LoadError:  # a type that its library alone knows
        return FieldKind()


def _of_field(shape: Shape) -> FieldKind:
    if isinstance(shape, ListShape):
        return FieldKind(_of_field(shape.item).kind, is_list=True)
    if isinstance(shape, UnionShape):
        return _of_alternatives([member for member in shape.members if member is not NULL])
    return FieldKind({id(STRING): InputKind.TEXT, id(OCTETS): InputKind.BYTES}.get(id(shape), InputKind.ANY))


def _of_alternatives(members: list[Shape]) -> FieldKind:
    kinds = set(map(_of_field, members))
    if len(kinds) == 1:
        return kinds.pop()
    are_cells = all(isinstance(member, Scalar) and member not in (OCTETS, ANYTHING) for member in members)
    return FieldKind(InputKind.TEXT if STRING in members and are_cells else InputKind.ANY)
