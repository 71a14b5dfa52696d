"""JSON, TOML and YAML as people write them, and what of YAML is refused."""

from __future__ import annotations

from typing import Any

import pytest

from abmiddleware.exceptions import DocumentError
from abmiddleware.sources.formats import read_document
from abmiddleware.sources.yaml_text import decode_yaml

JSON = """
{
  "features": {"dark": {"defaultValue": false, "rules": [{"force": true, "coverage": 0.5}]}},
  "experiments": [{"key": "checkout", "variations": ["a", "b"], "weights": [0.5, 0.5]}]
}
"""
TOML = """
[features.dark]
defaultValue = false
[[features.dark.rules]]
force = true
coverage = 0.5

[experiments.checkout]
variations = ["a", "b"]
weights = [0.5, 0.5]
"""
YAML = """
features:
  dark:
    defaultValue: false
    rules:
      - force: true
        coverage: 0.5
experiments:
  checkout:
    variations: [a, b]
    weights: [0.5, 0.5]  # an equal split
"""
TEXTS = {".json": JSON, ".toml": TOML, ".yaml": YAML, ".yml": YAML}


@pytest.mark.parametrize(("suffix", "text"), TEXTS.items(), ids=TEXTS)
def test_one_configuration_in_every_format(suffix: str, text: str) -> None:
    """The same experiments and features, and nothing to complain about."""
    document = read_document(text.encode(), suffix, "file")
    assert not document.check()
    assert document.features == {
        "dark": {"defaultValue": False, "rules": [{"force": True, "coverage": 0.5}]}
    }
    assert document.experiments == {
        "checkout": {"key": "checkout", "variations": ["a", "b"], "weights": [0.5, 0.5]}
    }
    assert document.experiment("checkout").key == "checkout"


@pytest.mark.parametrize(("suffix", "text"), TEXTS.items(), ids=TEXTS)
def test_a_byte_order_mark_is_left_out(suffix: str, text: str) -> None:
    """Some editors put one before every text."""
    with_mark = read_document(text.encode("utf-8-sig"), suffix, "file")
    assert with_mark.features == read_document(text.encode(), suffix, "file").features


def test_two_experiments_with_one_key_are_told() -> None:
    """The first serves; those of pages share keys rightly, for each page may have its own."""
    text = """{"experiments": [
        {"key": "a", "variations": [0, 1]},
        {"key": "b", "variations": [0, 1]},
        {"key": "a", "variations": [2, 3]},
        {"key": "c", "variations": [{}, {}], "urlPatterns": []},
        {"key": "c", "variations": [{}, {}], "urlPatterns": []}
    ]}"""
    document = read_document(text.encode(), ".json", "file")
    assert document.experiments["a"] == {"key": "a", "variations": [0, 1]}
    assert len(document.automatic) == 2
    assert [(one.path, one.problem) for one in document.problems] == [
        ("experiments[2].key", "is 'a', as that of experiments[0], which serves; must be its own")
    ]


def test_a_key_within_must_be_that_of_the_mapping() -> None:
    """Another one is set aside: nobody knows which is meant."""
    text = "experiments: {a: {key: a, variations: [0, 1]}, b: {key: c, variations: [0, 1]}}"
    document = read_document(text.encode(), ".yaml", "file")
    assert set(document.experiments) == {"a"}
    assert [(one.path, one.problem) for one in document.problems] == [
        ("experiments.b.key", "is 'c', must be left out or 'b'")
    ]


@pytest.fixture(params=["C", "Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read YAML with either of the package's parsers; one of them is not everywhere."""
    if request.param == "Python":
        monkeypatch.delattr("yaml.CSafeLoader")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("NO", "NO"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"),
        ("1:30", "1:30"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("007", "007"),
        ("1_000", "1_000"),
        (".nan", ".nan"),
        ("-.inf", "-.inf"),
        ("=", "="),
        ("1.", "1."),
        ("+1", "+1"),
        ("nulls", "nulls"),
        ("'5'", "5"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        ("[1, {a: b}]", [1, {"a": "b"}]),
        ("!!str 5", "5"),
        ("&x 5", 5),
        ("!!float 5", 5.0),
        ("!!map {a: !!seq [!!null x]}", {"a": [None]}),
        ("!!int '5'", 5),
    ],
)
def test_yaml_scalars_are_what_they_look_like(parser: None, text: str, value: Any) -> None:
    """Only what JSON could mean, too, is anything but text."""
    assert decode_yaml(f"a: {text}\n".encode(), "file") == {"a": value}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &x 1\nb: *x", "line 2, column 4: an alias is refused"),
        ("a: &x [1]\nb: {<<: *x}", "an alias is refused"),
        ("a: !!python/object/apply:os.system [ls]", "the tag"),
        ("a: !", "the tag '!' is refused"),
        ("a: ! [1]", "the tag '!' is refused"),
        ("a: !custom x", "the tag '!custom' is refused"),
        ("a: !!binary aGk=", "the tag"),
        ("a: !!timestamp 2026-01-01", "the tag"),
        ("a: !!set {b}", "the tag"),
        ("1: b", "line 1, column 1: the key 1 is no text"),
        ("true: b", "the key True is no text"),
        ("[a]: b", "is no text"),
        ("a: 1\nb: 2\na: 3", "line 3, column 1: the key 'a' is there twice"),
        ("a: [", "line "),
        ("a: b: c", "line 1, column 5"),
        ("--- a\n--- b", "another document"),
        ("a: !!map [1]", "line 1, column 4"),
        ("a: !!seq {b: c}", "line 1, column 4"),
        ("a: !!int x", "line 1, column 4: 'x' is no int that can be read"),
        ("a: !!bool maybe", "'maybe' is no bool"),
        ("a: " + "9" * 5000, "line 1, column 4: '99999"),
        ("a: \x00", "not allowed"),
        ("[" * 65 + "]" * 65, "nested deeper than 64"),
        ("[" * 100_000, "nested deeper than 64"),
        ("".join(" " * n + "a:\n" for n in range(80)), "nested deeper than 64"),
    ],
    ids=lambda part: f"{part[:20]!r}",
)
def test_yaml_that_is_refused(parser: None, text: str, problem: str) -> None:
    """With line and column; a few lines of aliases could mean billions of values."""
    with pytest.raises(DocumentError) as caught:
        decode_yaml(text.encode(), "file.yaml")
    assert str(caught.value).startswith("file.yaml: is no YAML that can be read: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("suffix", "text", "problem"),
    [
        (".toml", "a = ", "is no TOML"),
        (".toml", "a = \xff", "is no TOML"),
        (".toml", "features = 2026-01-01", "features: is 2026-01-01, which JSON has no form for"),
        (".toml", "[features.x]\ndefaultValue = 10:00:00", "features.x.defaultValue: is 10:00"),
        (".toml", "features = [[nan]]", "features[0][0]: is nan, must be a number"),
        (".toml", "a = " + "[" * 5000 + "]" * 5000, "file"),
        (".toml", "features = " + "[" * 70 + "]" * 70, "nested deeper than 64"),
        (".yaml", "features: !!float x", "'x' is no float"),
        (".yaml", "features: !!float 1e999", "features: is inf, must be a number"),
        (".yaml", "- a", "payload: is ['a'], must be an object"),
        (".yaml", "", "payload: is None, must be an object"),
        (".yaml", "\xff", "is no YAML"),
        (".json", "{'a': 1}", "is no JSON"),
        (".json", '{"features": NaN}', "is no JSON"),
        (".json", " " * (10 * 1024 * 1024 + 1), "must be at most"),
        (".toml", " " * (1024 * 1024 + 1), "is 1048577 bytes, must be at most 1048576"),
        (".yaml", " " * (1024 * 1024 + 1), "is 1048577 bytes, must be at most 1048576"),
    ],
    ids=lambda part: f"{part[:20]!r}",
)
def test_files_that_are_refused(suffix: str, text: str, problem: str) -> None:
    """Whatever is wrong is a DocumentError that names the file or the place in it."""
    with pytest.raises(DocumentError) as caught:
        read_document(text.encode("latin-1"), suffix, "file")
    assert problem in str(caught.value)
