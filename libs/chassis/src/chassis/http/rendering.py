"""Views to JSON bytes: orjson where a view is plain data, pydantic where it is not.

Invariant: the bytes mean what pydantic's own serializer writes. A view is plain when every field, all the way down, is
a JSON scalar, a UUID, a time, an enum, a list, a dict, or another plain view, without aliases or serializers of its
own; whatever turns out otherwise at run time goes to pydantic.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin
from uuid import UUID

import annotated_types
import orjson
from pydantic import BaseModel, GetPydanticSchema
from pydantic.fields import FieldInfo

_SCALARS: Final = {str, int, float, bool, type(None), UUID, datetime, date}
_CONTAINERS: Final = {list, tuple, dict}
_UNIONS: Final = {typing.Union, types.UnionType}
_OPTIONS: Final = orjson.OPT_UTC_Z

Render = Callable[[BaseModel], bytes]


def renderer_of(model: type[BaseModel]) -> Render:
    """The quickest true renderer of a view."""
    plain: set[type[BaseModel]] = set()
    if not _is_plain_model(model, plain):
        return render_any

    def reach_into(value: Any) -> Any:
        kind = type(value)
        if kind in plain:
            return value.__dict__
        if isinstance(value, UUID):
            return str(value)
        raise TypeError(kind)

    # A generic view is often built without its argument: Page(items=…) for Page[OrderView].
    accepted = {model, model.__pydantic_generic_metadata__["origin"]}

    def render(view: BaseModel) -> bytes:
        if type(view) in accepted:
            try:
                return orjson.dumps(view.__dict__, reach_into, _OPTIONS)
            except TypeError:
                return render_any(view)
        return render_any(view)

    return render


def render_any(view: BaseModel) -> bytes:
    """Any view, by pydantic."""
    return view.__pydantic_serializer__.to_json(view)


def _is_plain_model(model: type[BaseModel], known: set[type[BaseModel]]) -> bool:
    if model in known:
        return True
    known.add(model)
    decorators = model.__pydantic_decorators__
    if decorators.field_serializers or decorators.model_serializers or decorators.computed_fields:
        return False
    if model.__pydantic_root_model__ or model.model_config.get("extra") == "allow":
        return False
    return all(_is_plain_field(field, known) for field in model.model_fields.values())


def _is_plain_field(field: FieldInfo, known: set[type[BaseModel]]) -> bool:
    if field.serialization_alias or field.alias or field.exclude:
        return False
    return _metadata_is_plain(field.metadata) and _is_plain_type(field.annotation, known)


def _is_plain_type(annotation: Any, known: set[type[BaseModel]]) -> bool:
    while hasattr(annotation, "__supertype__"):
        annotation = annotation.__supertype__
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return _metadata_is_plain(arguments[1:]) and _is_plain_type(arguments[0], known)
    if origin is Literal:
        return True
    if origin in _UNIONS or origin in _CONTAINERS:
        return all(argument is Ellipsis or _is_plain_type(argument, known) for argument in arguments)
    if not isinstance(annotation, type):
        return annotation is None
    if issubclass(annotation, BaseModel):
        return _is_plain_model(annotation, known)
    return annotation in _SCALARS or issubclass(annotation, Enum)


def _metadata_is_plain(metadata: Any) -> bool:
    """Constraints leave the written form alone; anything that brings a schema of its own may not."""
    return all(
        isinstance(each, annotated_types.BaseMetadata | annotated_types.GroupedMetadata)
        or (not hasattr(each, "__get_pydantic_core_schema__") and not isinstance(each, GetPydanticSchema))
        for each in metadata
    )
