"""Experiments and features of a module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from abmiddleware import ConfigurationError, DefinitionError
from abmiddleware.sources import Code, Source

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Return what writes a module that can be imported, and returns its path."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    package = f"shop_{abs(hash(tmp_path))}"

    def module(text: str, name: str = "experiments") -> str:
        file = tmp_path / package / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        imports = "from abmiddleware import Experiment\n"
        imports += "from abmiddleware.evaluation.features import Feature\n"
        file.write_text(imports + dedent(text))
        return f"{package}.{name}"

    yield module
    for name in set(sys.modules) - before:
        del sys.modules[name]


def opened(module: str) -> Code:
    source = Code(module)
    source.open(lambda: None)
    return source


def test_all_objects_of_a_module_are_found(write: Write) -> None:
    """By name, imported, and one level deep in lists, tuples and dictionaries; each once."""
    other = write("""BANNER = Experiment("banner", [0, 1], hash_attribute="company")""", "other")
    module = write(
        f"""
        from {other} import BANNER
        CHECKOUT = Experiment("checkout", [0, 1], fallback_attribute="device")
        DARK = Feature("dark-mode", False)
        ALL = [CHECKOUT, Experiment("price", [1, 2])]
        PAIR = (Feature("wide", True), "no experiment")
        BY_TEAM = {{"growth": Experiment("signup", [0, 1]), "note": 7}}
        nothing = None
        """
    )
    source = opened(module)
    assert source.document is not None
    assert set(source.document.experiments) == {"banner", "checkout", "price", "signup"}
    assert set(source.document.features) == {"dark-mode", "wide"}
    assert {"id", "company", "device"} <= source.document.units
    assert source.document.experiment("price").key == "price"
    status = source.status()
    assert (status.ready, status.age_seconds, status.origin) == (True, 0.0, "code")


def test_it_is_a_source_that_does_nothing_more(write: Write) -> None:
    """Looking and closing change nothing."""
    source = opened(write("A = Experiment('a', [0, 1])"))
    assert isinstance(source, Source)
    source.look()
    source.close()
    assert source.document is not None
    assert "experiments" in repr(source)


def test_an_experiment_and_a_feature_may_share_a_key(write: Write) -> None:
    """They are asked for in different ways."""
    document = opened(write("A = Experiment('a', [0, 1])\nB = Feature('a', 1)")).document
    assert document is not None
    assert set(document.experiments) == set(document.features) == {"a"}


def test_two_objects_of_one_key_are_refused(write: Write) -> None:
    """The error names both places."""
    module = write("FIRST = Experiment('a', [0, 1])\nMORE = [Experiment('a', [0, 1])]")
    with pytest.raises(DefinitionError) as caught:
        opened(module)
    assert str(caught.value) == (
        f"a: is the key of both {module}.FIRST and {module}.MORE[0], must be its own"
    )


def test_a_wrong_definition_tells_itself(write: Write) -> None:
    """What is raised where it is built comes through as it is."""
    with pytest.raises(DefinitionError, match=r"a\.weights: sum to 0\.9"):
        opened(write("A = Experiment('a', [0, 1], weights=[0.5, 0.4])"))


@pytest.mark.parametrize("module", ["no_such_shop", "no_such_shop.experiments", "json.nothing"])
def test_a_module_that_is_not_there_is_told(module: str) -> None:
    """The message names what is missing and where it is looked for."""
    with pytest.raises(ConfigurationError, match=rf"Code\({module}\): there is no module '"):
        opened(module)


@pytest.mark.parametrize(
    "text", ["import no_such_package", "1 / 0", "undefined", "def", "raise OSError('disk')"]
)
def test_a_module_that_fails_is_told(write: Write, text: str) -> None:
    """With the error, and how to see all of it."""
    with pytest.raises(ConfigurationError, match=r"cannot be imported, .*shows where"):
        opened(write(text))


def test_a_module_that_makes_the_engine_is_told(write: Write) -> None:
    """Half a module would serve half of the experiments."""
    module = write(
        """
        from abmiddleware.sources import Code
        Code(__name__).open(lambda: None)
        LATER = Experiment("later", [0, 1])
        """
    )
    with pytest.raises(ConfigurationError, match="make the engine in another module"):
        opened(module)


def test_a_module_without_any_is_told_in_the_log(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no error: a team may begin with none."""
    source = opened(write(""))
    assert source.document is not None
    assert "has no Experiment or Feature" in caplog.text


@pytest.mark.parametrize("module", ["", ".", "shop.", "shop/experiments.py", "a b", None, 7])
def test_what_is_no_path_is_told(module: object) -> None:
    """When the source is made."""
    with pytest.raises(ConfigurationError, match=r"module: is .*, must be a path such as"):
        Code(module)  # type: ignore[arg-type]
