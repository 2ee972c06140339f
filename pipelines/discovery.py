"""What a folder holds: registries are derived from it, so that a new thing is one file and no other line."""

import importlib
import pkgutil
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def modules(package: str) -> dict[str, ModuleType]:
    """Import every module and folder directly in a package, and return them by name, in the order of the alphabet.

    Args:
        package: its dotted name, such as "visionmtl.sharing"; what begins with an underscore is left out.
    """
    path = importlib.import_module(package).__path__
    names = sorted(found.name for found in pkgutil.iter_modules(path) if not found.name.startswith("_"))
    return {name: importlib.import_module(f"{package}.{name}") for name in names}


def classes(package: str, base: type[T]) -> dict[str, type[T]]:
    """Return the class that each module of a package defines on a base, by the name of the module.

    A module that defines none helps its neighbours and is passed over; so is a class whose name begins with an
    underscore.

    Args:
        package: its dotted name.
        base: the class on which those wanted are built.

    Raises:
        TypeError: a module defines several: nobody could tell which one its name means.
    """
    found = {}
    for name, module in modules(package).items():
        own = [
            value
            for key, value in vars(module).items()
            if isinstance(value, type)
            and issubclass(value, base)
            and value is not base
            and not key.startswith("_")
            and (value.__module__ == module.__name__ or value.__module__.startswith(f"{module.__name__}."))
        ]
        if len(set(own)) > 1:
            raise TypeError(
                f"{module.__name__} defines {', '.join(each.__name__ for each in own)}: expected one of them."
            )
        if own:
            found[name] = own[0]
    return found
