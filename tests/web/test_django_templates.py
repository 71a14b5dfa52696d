"""The template tags and the context processor of Django."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import Context, RequestContext, Template, TemplateSyntaxError, engines
from django.template.loader_tags import BlockNode
from django.test import RequestFactory, override_settings

from abmiddleware import ConfigurationError, Engine, Experiment, MemorySink, VariationMeta
from abmiddleware_django import conf
from abmiddleware_django.context_processors import experiments
from abmiddleware_django.middleware import ExperimentsMiddleware

BUTTON = Experiment("button", ["control", "one-click"], hash_version=2)
META = [VariationMeta(), VariationMeta(key="high")]
PRICE = Experiment("price", [9.99, 11.5], meta=META, hash_version=2)
FLAG = Experiment("flag", [False, True], hash_version=2)
FORCED = {"button": 1, "price": 1, "flag": 1}
LOAD = "{% load experiments %}"


@pytest.fixture
def forced() -> dict[str, int]:
    return FORCED


@pytest.fixture
def strict() -> bool:
    return True


@pytest.fixture
def engine(sink: MemorySink, forced: dict[str, int], strict: bool) -> Engine:
    return Engine([BUTTON, PRICE, FLAG], sink=sink, strict=strict, forced_variations=forced)


@pytest.fixture(autouse=True)
def _settings(engine: Engine) -> Iterator[None]:
    with override_settings(EXPERIMENTS={"ENGINE": engine}):
        yield
    conf.engine.cache_clear()


def rendered(source: str, **context: Any) -> str:
    """Render a template in a view, whose request is known without a context processor."""

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(Template(LOAD + source).render(RequestContext(request, context)))

    response = ExperimentsMiddleware(view)(RequestFactory().get("/"))
    assert isinstance(response, HttpResponse)
    return response.content.decode()


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        pytest.param("'button' 'one-click'", "yes", id="value"),
        pytest.param("'button' 'control'", "no", id="other-value"),
        pytest.param("'button' '1'", "yes", id="index"),
        pytest.param("key name", "yes", id="variables"),
        pytest.param("experiment name", "yes", id="object"),
        pytest.param("'price' 11.5", "yes", id="number"),
        pytest.param("'price' 9.99", "no", id="other-number"),
        pytest.param("'price' 'high'", "yes", id="key"),
        pytest.param("'price' 'control'", "no", id="control"),
        pytest.param("'flag' True", "yes", id="truth"),
    ],
)
def test_a_part_is_of_the_variation_that_it_names(asked: str, shown: str) -> None:
    """By its key, its value of any type, or its index; the first is `control`."""
    source = f"{{% ifvariation {asked} %}}yes{{% else %}}no{{% endifvariation %}}"
    context = {"key": "button", "name": "one-click", "experiment": BUTTON}

    assert rendered(source, **context) == shown


@pytest.mark.parametrize("forced", [{}], ids=["hashed"])
def test_a_part_without_else_is_exposed_all_the_same(sink: MemorySink) -> None:
    """Who sees nothing in its place has met the control."""
    source = "{% ifvariation 'button' 'one-click' %}yes{% endifvariation %}"
    shown = [rendered(source) for _ in range(30)]

    assert set(shown) == {"", "yes"}
    assert [each.variation_id for each in sink.exposures] == [int(bool(text)) for text in shown]


@pytest.mark.parametrize("name", ["'one-clik'", "7", "missing"])
def test_a_variation_that_there_is_not_is_an_error_in_tests(name: str) -> None:
    """A misspelt variation raises, and the message has the right ones."""
    with pytest.raises(ConfigurationError, match="must be one of 'control', 'one-click'"):
        rendered(f"{{% ifvariation 'button' {name} %}}yes{{% endifvariation %}}")


@pytest.mark.parametrize("strict", [False], ids=["production"])
@pytest.mark.parametrize("forced", [{}], ids=["hashed"])
def test_a_variation_that_there_is_not_is_nobodys_in_production(
    sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """Everybody sees the other part, which is no exposure; the log says so once."""
    source = "{% ifvariation 'button' 'one-clik' %}yes{% else %}no{% endifvariation %}"
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        assert {rendered(source) for _ in range(5)} == {"no"}

    assert sink.records == []
    assert caplog.text.count("the variation 'one-clik' of 'button'") == 1


ALL = (
    "{% variation 'button' %} {% variation 'button' as kept %}{{ kept }} "
    "{% ifvariation 'button' 'one-click' %}yes{% else %}no{% endifvariation %} "
    "{% ifvariation 'button' 'control' %}yes{% else %}no{% endifvariation %} "
    "[{% variation 'nonsense' %}{% ifvariation 'nonsense' 'a' %}yes{% endifvariation %}]"
)
WITHOUT: dict[str, Callable[[], str]] = {
    "no-context": lambda: Template(LOAD + ALL).render(Context()),
    "no-request": lambda: engines["django"].from_string(LOAD + ALL).render({}),
    "no-middleware": lambda: (
        engines["django"].from_string(LOAD + ALL).render({}, RequestFactory().get("/"))
    ),
}


@pytest.mark.parametrize("without", WITHOUT)
def test_without_a_request_there_is_an_error_in_tests(without: str) -> None:
    """In debug and under pytest a template that cannot ask says what it must be given."""
    told = "MIDDLEWARE must have" if without == "no-middleware" else "must be rendered with it"
    with pytest.raises(ConfigurationError, match=told):
        WITHOUT[without]()


@pytest.mark.parametrize("strict", [False], ids=["production"])
@pytest.mark.parametrize("without", WITHOUT)
def test_without_a_request_it_is_the_control_in_production(
    without: str, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    """A mail that uses a page's template shows the control; the log says so once."""
    with caplog.at_level(logging.WARNING, "abmiddleware"):
        assert WITHOUT[without]() == "control control no yes []"

    assert sink.records == []
    assert caplog.text.count("asks for a variation") == 1


@pytest.mark.parametrize("strict", [False], ids=["production"])
def test_an_experiment_that_is_an_object_has_a_control_anywhere() -> None:
    """A template that cannot ask shows the control of an object that no configuration has."""
    late = Experiment("late", ["a", "b"], hash_version=2)

    source = (
        LOAD + "{% variation late %} {% ifvariation late 'b' %}b{% else %}a{% endifvariation %}"
    )
    assert Template(source).render(Context({"late": late})) == "a a"


@pytest.mark.parametrize("strict", [False], ids=["production"])
@pytest.mark.parametrize(("name", "shown"), [("control", "yes"), ("one-click", "no")])
def test_an_unknown_experiment_is_the_control_in_production(name: str, shown: str) -> None:
    """Its parts for the control are shown, and its value is nothing."""
    part = f"{{% ifvariation 'nonsense' '{name}' %}}yes{{% else %}}no{{% endifvariation %}}"

    assert rendered(f"[{{% variation 'nonsense' %}}] {part}") == f"[] {shown}"


def test_a_wrong_tag_is_an_error_of_its_template() -> None:
    """The tag wants an experiment and a variation."""
    with pytest.raises(TemplateSyntaxError, match="has 1 arguments, must have an experiment and"):
        Template(LOAD + "{% ifvariation 'button' %}{% endifvariation %}")


def test_autoescape_is_obeyed() -> None:
    """A value is escaped unless the template says otherwise, as any is."""
    markup = Experiment("markup", ["<b>", "<b>"], hash_version=2)

    assert rendered("{% variation markup %}", markup=markup) == "&lt;b&gt;"
    source = "{% autoescape off %}{% variation markup %}{% endautoescape %}"
    assert rendered(source, markup=markup) == "<b>"
    assert rendered("{% variation markup as kept %}{{ kept }}", markup=markup) == "&lt;b&gt;"


def test_tags_nest_and_hold_blocks() -> None:
    """Parts hold other tags, and a template that extends this one finds the blocks in both."""
    source = (
        "{% ifvariation 'button' 'one-click' %}{% block a %}{% ifvariation 'flag' 'control' %}x"
        "{% else %}{% variation 'price' %}{% endifvariation %}{% endblock %}"
        "{% else %}{% block b %}{% endblock %}{% endifvariation %}"
    )
    blocks = Template(LOAD + source).nodelist.get_nodes_by_type(BlockNode)

    assert [getattr(block, "name", None) for block in blocks] == ["a", "b"]
    assert rendered(source) == "11.5"


def test_the_context_processor_asks_nothing() -> None:
    """It offers the client itself; a debugging page that prints it asks nothing either."""

    def view(request: HttpRequest) -> HttpResponse:
        source = engines["django"].from_string("{{ experiments }} {{ experiments.assignments }}")
        return HttpResponse(source.render({}, request))

    response = ExperimentsMiddleware(view)(RequestFactory().get("/"))

    assert isinstance(response, HttpResponse)
    assert response.content == b"&lt;ExperimentClient: 0 experiments asked&gt; {}"
    assert dict(response.items()) == dict(HttpResponse().items())
    assert response.cookies == {}
    assert experiments(RequestFactory().get("/")) == {}


@pytest.mark.parametrize("number", [0, 1])
def test_the_templates_of_the_documentation_are_rendered(number: int) -> None:
    """What the page shows of Django's templates works as it stands."""
    page = (Path(__file__).parents[2] / "docs" / "handlers.md").read_text()
    block = re.findall(r"```html\+django\n(.*?)```", page, re.DOTALL)[number]
    shown = rendered(block.replace("checkout-button", "button"))

    assert '<button class="one-click">Buy</button>' in shown
    assert ("Buy at once" in shown) is (number == 0)
    assert "To the checkout" not in shown
