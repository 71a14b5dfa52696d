"""A service that another one calls shows its variation, in every framework."""

from __future__ import annotations

import pytest
from django.test import override_settings

from abmiddleware import Baggage, ConfigurationError, Engine, MemorySink
from abmiddleware_django import conf
from tests.web.conftest import MakeSite
from tests.web.views import BUTTON, EXPERIMENTS


@pytest.mark.parametrize("variation", [0, 1])
def test_the_variation_of_the_caller_is_shown(
    make_site: MakeSite, sink: MemorySink, variation: int
) -> None:
    """To whoever comes by it; the framework's own request tells whom to trust."""
    taken = Baggage(["checkout-button"], trusted=lambda request: "x-internal" in request.headers)
    site = make_site(Engine(EXPERIMENTS, sink=sink, baggage=taken))
    headers = {"baggage": f"other=1,experiment.variation.checkout-button={variation}"}

    for _ in range(4):
        shown = site.visitor().get("/run", headers={**headers, "x-internal": "yes"})
        assert shown.text == BUTTON.variations[variation]
    assert sink.exposures == []
    for _ in range(4):
        site.visitor().get("/run", headers=headers)
    assert len(sink.exposures) == 4


def trusts(_: object) -> bool:
    """Trust nobody."""
    return False


TRUSTS = f"{__name__}.trusts"


def test_djangos_setting_names_both_by_paths() -> None:
    """In capitals, as all of its options."""
    options = {
        "BAGGAGE": {"ACCEPT": ["offer"], "TRUSTED": TRUSTS},
        "ID_HEADER": {"NAME": "x-device-id", "TRUSTED": TRUSTS},
        "SINK": MemorySink(),
    }
    with override_settings(EXPERIMENTS=options):
        assert isinstance(conf.engine(), Engine)
    for key in ("BAGGAGE", "ID_HEADER"):
        wrong = {**options, key: {**options[key], "TRUSTED": "no.such"}}  # type: ignore[dict-item]
        with (
            override_settings(EXPERIMENTS=wrong),
            pytest.raises(ConfigurationError, match=rf"EXPERIMENTS\['{key}'\]\['TRUSTED'\]"),
        ):
            conf.engine()
