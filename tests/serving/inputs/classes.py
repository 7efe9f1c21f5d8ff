"""Records as users write them, annotations as strings."""

from __future__ import annotations

import datetime
import enum
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any, Literal, NotRequired, Required, TypedDict

import msgspec
import pydantic
import typing_extensions

from argosy.errors import DecodeError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Address:
    zip: str
    floor: int | None = None


@dataclass
class House:
    area: float
    rooms: int
    address: Address
    colour: Colour = Colour.RED
    kind: Literal["flat", "villa", 3] = "flat"
    tags: list[str] = field(default_factory=list)
    built: datetime.date | None = None


@dataclass
class Row:
    area: float
    rooms: int
    is_sold: bool
    name: str
    price: float | None
    weight: float = 1.5


@dataclass
class Tree:
    value: int
    children: list[Tree] = field(default_factory=list)


@dataclass
class Strict:
    scale: InitVar[float]
    size: float = 0.0
    made: float = field(init=False, default=0.0)

    def __post_init__(self, scale: float) -> None:
        if scale < 0:
            raise ValueError(f"{scale} is a value that nobody must see")
        if scale > 100:
            raise DecodeError("the scale is too large", want="at most 100")
        self.made = scale


class Point(TypedDict):
    x: float
    y: NotRequired[float]


class Point3(Point, total=False):
    z: Required[int]
    label: str


class Extended(typing_extensions.TypedDict):
    x: typing_extensions.ReadOnly[int]
    y: typing_extensions.NotRequired[int]


class Struct(msgspec.Struct):
    area: float
    rooms: int
    address: str | None = None
    kind: Literal["flat", "villa"] = "flat"


class Part(msgspec.Struct, rename="camel"):
    part_id: int
    amounts: dict[str, int] = {}
    size: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class Whole(msgspec.Struct, forbid_unknown_fields=True):
    parts: list[Part]


class Inner(pydantic.BaseModel):
    zip: str = pydantic.Field(min_length=2)


class Model(pydantic.BaseModel):
    area: float
    rooms: int = pydantic.Field(gt=0)
    inner: Inner | None = None
    amounts: dict[str, int] = {}
    weight: float = 1.5

    @pydantic.field_validator("area")
    @classmethod
    def _check(cls, value: float) -> float:
        if value == 666:
            raise ValueError(f"{value} is a value that nobody must see")
        return value


class Later(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", populate_by_name=True)
    at: datetime.datetime = pydantic.Field(alias="timestamp")


class Unknown:
    def __init__(self, anything: Any) -> None: ...
