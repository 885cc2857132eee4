"""The built-in record types, collected from the modules of this folder that define a RESOURCE."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from app import resources
from app.resources.schema import Resource


def _find_resources() -> Iterator[Resource]:
    for module in iter_modules(resources.__path__, f"{resources.__name__}."):
        resource = getattr(import_module(module.name), "RESOURCE", None)
        if isinstance(resource, Resource):
            yield resource


BUILT_IN: Mapping[str, Resource] = MappingProxyType({resource.name: resource for resource in _find_resources()})
