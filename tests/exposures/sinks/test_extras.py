"""A sink whose package is not installed says how to install it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest

from abmiddleware import ConfigurationError, KafkaSink, OpenTelemetrySink, Sink

SINKS: dict[str, tuple[Callable[[], Sink], str]] = {
    "confluent_kafka": (lambda: KafkaSink("broker:9092"), "pip install 'abmiddleware[kafka]'"),
    "opentelemetry": (OpenTelemetrySink, "pip install --upgrade opentelemetry-sdk"),
}


class _Missing:
    """Finds no module of a package."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> None:
        """Refuse the package."""
        if name.partition(".")[0] == self._package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize("package", SINKS)
def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the line that installs what is missing."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Missing(package), *sys.meta_path])
    make, line = SINKS[package]

    with pytest.raises(ConfigurationError) as caught:
        make()

    assert line in str(caught.value)


def test_importing_the_library_loads_no_backend() -> None:
    """A service whose records go to the journal pays for no other package."""
    script = (
        "import sys, abmiddleware;"
        "print({'confluent_kafka', 'openfeature', 'opentelemetry.sdk'} & {*sys.modules})"
    )
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
