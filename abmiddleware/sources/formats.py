"""Configuration files as people write them: JSON, TOML or YAML, turned into GrowthBook's form."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.document import MAX_PROBLEMS, Document
from abmiddleware.evaluation.payload import read_payload
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import DocumentError
from abmiddleware.sources.json_text import MAX_BYTES, MAX_DEPTH, decode_json
from abmiddleware.sources.unknown_fields import find_unknown_fields
from abmiddleware.sources.yaml_text import decode_yaml

#: Larger files of the forms that people write are refused, in bytes: they are read again in a
#: request, and half a second is the most that it should ever wait for them.
MAX_WRITTEN: Final = 1024 * 1024


def max_bytes(suffix: str) -> int:
    """Return the size of the largest file that is read, by the suffix of its name."""
    return MAX_BYTES if suffix == ".json" else MAX_WRITTEN


def read_document(raw: bytes, suffix: str, path: str) -> Document:
    """Return the document of a file.

    Its `experiments` may be a list, or a mapping of experiments by their keys.

    Args:
        raw: the file.
        suffix: of its name, one of `DECODERS`.
        path: its name, for errors.

    Raises:
        DocumentError: nothing of it may be used.
    """
    if len(raw) > (most := max_bytes(suffix)):
        raise DocumentError(path, f"is {len(raw)} bytes, must be at most {most}")
    payload = DECODERS[suffix](raw, path)
    try:
        return _read(payload)
    except DocumentError as error:
        raise DocumentError(f"{path}: {error.path}", error.problem) from None


def _read(payload: object) -> Document:
    problems: list[Problem] = []
    if isinstance(payload, dict) and isinstance(experiments := payload.get("experiments"), dict):
        payload = {**payload, "experiments": list(_listed(experiments, problems))}
    document = read_payload(payload)
    if isinstance(payload, dict):
        unknown = islice(find_unknown_fields(payload), MAX_PROBLEMS)
        problems = [*problems, *document.problems, *unknown]
    return replace(document, problems=tuple(problems))


def _listed(experiments: Mapping[str, Any], problems: list[Problem]) -> Iterator[object]:
    """Yield the experiments of a mapping as a list holds them; others are problems."""
    for key, experiment in experiments.items():
        path = f"experiments.{key}"
        if not isinstance(experiment, dict):
            problems.append(Problem(path, f"is {shown(experiment)}, must be an object"))
        elif experiment.get("key", key) != key:
            told = shown(experiment["key"])
            problems.append(Problem(f"{path}.key", f"is {told}, must be left out or {key!r}"))
        else:
            yield {**experiment, "key": key}


def _decode_toml(raw: bytes, path: str) -> object:
    try:
        value = tomllib.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # of UTF-8, too
        raise DocumentError(path, f"is no TOML that can be read: {error}") from None
    _check_json(value, path)
    return value


def _decode_yaml(raw: bytes, path: str) -> object:
    value = decode_yaml(raw, path)
    _check_json(value, path)
    return value


def _check_json(value: object, path: str, depth: int = 0) -> None:
    """Refuse what JSON has no form for.

    Raises:
        DocumentError: names the place.
    """
    if depth > MAX_DEPTH:
        raise DocumentError(path, f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key, part in value.items():
            _check_json(part, f"{path}.{key}" if depth else str(key), depth + 1)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            _check_json(part, f"{path}[{index}]", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise DocumentError(path, f"is {value}, must be a number")
    elif not isinstance(value, (str, int, float, type(None))):  # a bool is an int
        raise DocumentError(path, f"is {value}, which JSON has no form for; put it in quotes")


#: How to decode a file, by the suffix of its name.
DECODERS: Final[Mapping[str, Callable[[bytes, str], object]]] = {
    ".json": decode_json,
    ".toml": _decode_toml,
    ".yaml": _decode_yaml,
    ".yml": _decode_yaml,
}
