"""A store whose package is not installed says how to install it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from abmiddleware import ConfigurationError
from abmiddleware.extras import required
from abmiddleware.sticky import (
    AsyncRedisStickyStore,
    AsyncSQLStickyStore,
    RedisStickyStore,
    SQLStickyStore,
)

ROOT = Path(__file__).parents[2]
STORES = [
    (RedisStickyStore, "redis", "redis"),
    (AsyncRedisStickyStore, "redis", "redis"),
    (SQLStickyStore, "sqlalchemy", "sql"),
    (AsyncSQLStickyStore, "sqlalchemy", "sql"),
]


@pytest.mark.parametrize(
    ("store", "package", "extra"), STORES, ids=[store.__name__ for store, _, _ in STORES]
)
def test_a_missing_package_is_named(
    store: type, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the line that installs what is missing."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Missing(package), *sys.meta_path])

    with pytest.raises(ConfigurationError) as caught:
        store(object())

    assert str(caught.value) == (
        f"{store.__name__}: needs the package {package}; "
        f"install it with pip install 'abmiddleware[{extra}]'"
    )


class _Missing:
    """Finds no module of a package."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == self._package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_a_broken_package_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails inside of an installed package is shown as it is."""
    (tmp_path / "broken_package.py").write_text("import nowhere_to_be_found")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        required("broken_package", "redis", "test")


def test_importing_the_stores_loads_no_backend() -> None:
    """A service that keeps its assignments in a cookie pays for no other package."""
    script = (
        "import sys, abmiddleware.sticky;"
        "print({'redis', 'sqlalchemy', 'greenlet'} & {*sys.modules})"
    )
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )

    assert done.stdout == "set()\n"


def test_no_store_unpickles() -> None:
    """Nothing that comes from a visitor or a shared store can run code."""
    for path in (ROOT / "abmiddleware" / "sticky").glob("*.py"):
        assert "pickle" not in path.read_text(), path.name
