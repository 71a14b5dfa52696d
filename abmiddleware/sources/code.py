"""Configuration from code: the experiments and features of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from abmiddleware.evaluation.document import Document, document_of
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.features import Feature
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ABMiddlewareError, ConfigurationError, DefinitionError
from abmiddleware.notices import notices
from abmiddleware.sources.source import SourceStatus

#: An object and where it was found, such as `shop.experiments.CHECKOUT`.
Found = tuple[str, Experiment[Any] | Feature[Any]]

_KINDS: Final = (Experiment, Feature)


class Code:
    """All `Experiment` and `Feature` objects of a module.

        Code("shop.experiments")

    They are found by the module's names, whether they were made there or imported, and one level
    deep in its lists, tuples and dictionaries.

    Args:
        module: its dotted path; it is imported when the source is opened.

    Raises:
        ConfigurationError: it is no dotted path.
    """

    def __init__(self, module: str) -> None:
        if not isinstance(module, str) or not all(map(str.isidentifier, module.split("."))):
            raise ConfigurationError(
                f"module: is {shown(module)}, must be a path such as 'shop.experiments'"
            )
        self.module = module
        self.name = f"Code({module})"
        self.document: Document | None = None

    def __repr__(self) -> str:
        return self.name

    def open(self, changed: Callable[[], None]) -> None:  # code does not change
        """Import the module and take its objects; code does not change afterwards.

        Raises:
            ConfigurationError: it cannot be imported.
            DefinitionError: a definition in it is wrong, or two have one key.
        """
        module = self._import()
        found = list(_found(module))
        if not found:
            notices.warn_once(
                self.name, lambda: f"{self.module} has no Experiment or Feature at module level"
            )
        self.document = document_of_found(found)

    def _import(self) -> ModuleType:
        try:
            module = import_module(self.module)
        except ABMiddlewareError:
            raise  # it names the definition and the mend
        except ModuleNotFoundError as error:
            if error.name is not None and f"{self.module}.".startswith(f"{error.name}."):
                raise ConfigurationError(
                    f"{self.name}: there is no module {error.name!r}, must be a path that "
                    "'import' finds from where the application starts"
                ) from None
            raise self._failed(error) from error
        except Exception as error:
            raise self._failed(error) from error
        if getattr(module.__spec__, "_initializing", False):
            raise ConfigurationError(
                f"{self.name}: is being imported at this moment, so that what stands further down "
                "would be missed; make the engine in another module"
            )
        return module

    def _failed(self, error: Exception) -> ConfigurationError:
        return ConfigurationError(
            f"{self.name}: cannot be imported, {type(error).__name__}: {error}; "
            f"'python -c \"import {self.module}\"' shows where"
        )

    def look(self) -> None:
        """Do nothing: code changes with the process."""

    def status(self) -> SourceStatus:
        """Tell how it is doing."""
        document = self.document
        return SourceStatus(
            name=self.name,
            ready=document is not None,
            age_seconds=None if document is None else 0.0,
            origin="code",
        )

    def close(self, timeout: float = 5.0) -> None:
        """Do nothing: there is nothing to stop."""


def document_of_found(found: Iterable[Found]) -> Document:
    """Return the document of experiment and feature objects.

    Args:
        found: the objects, each with where it is.

    Raises:
        DefinitionError: two different experiments, or two features, have one key.
    """
    known: dict[tuple[type, str], Found] = {}
    for place, part in found:
        kind = next(kind for kind in _KINDS if isinstance(part, kind))
        other, first = known.setdefault((kind, part.key), (place, part))
        if first is not part:
            raise DefinitionError(
                part.key, f"is the key of both {other} and {place}, must be its own"
            )
    return document_of(part for _, part in known.values())


def _found(module: ModuleType) -> Iterator[Found]:
    for name, value in vars(module).items():
        place = f"{module.__name__}.{name}"
        if isinstance(value, _KINDS):
            yield place, value
        elif isinstance(value, (list, tuple)):
            yield from _among(place, enumerate(value))
        elif isinstance(value, Mapping) and name != "__builtins__":
            yield from _among(place, value.items())


def _among(place: str, parts: Iterable[tuple[object, object]]) -> Iterator[Found]:
    for key, part in parts:
        if isinstance(part, _KINDS):
            yield f"{place}[{key!r}]", part
