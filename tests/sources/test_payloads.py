"""Sections, plain and encrypted, laid over those that are held."""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware import ConfigurationError
from abmiddleware.exceptions import DocumentError
from abmiddleware.sources import DecryptionError, GrowthBook, decrypt
from abmiddleware.sources.json_text import MAX_BYTES, decode_json
from abmiddleware.sources.payloads import Held
from tests.sources.server import Server, flag, payload, raw
from tests.sources.support import watching

CASES = json.loads((Path(__file__).parents[1] / "data" / "growthbook_cases.json").read_text())
KEY = base64.b64encode(bytes(range(16))).decode()
OTHER = base64.b64encode(bytes(16)).decode()


def sealed(plain: bytes, *, pad: bytes | None = None) -> str:
    """Encrypt bytes as GrowthBook does."""
    vector, missing = bytes(range(16, 32)), 16 - len(plain) % 16
    cipher = Cipher(algorithms.AES(base64.b64decode(KEY)), modes.CBC(vector)).encryptor()
    padding = bytes([missing]) * missing if pad is None else pad
    text = cipher.update(plain + padding) + cipher.finalize()
    return f"{base64.b64encode(vector).decode()}.{base64.b64encode(text).decode()}"


def encrypted(section: Any) -> str:
    return sealed(json.dumps(section).encode())


def merged(payload: Any, before: Held | None = None, key: str | None = KEY) -> Held:
    return (before or Held()).merged(json.dumps(payload).encode(), key)


@pytest.mark.parametrize("case", CASES["decrypt"], ids=lambda case: case[0])
def test_decryption_is_that_of_growthbook(case: list[Any]) -> None:
    """GrowthBook's own cases: the same text, or a refusal where there it is nothing."""
    _, text, key, expected = case
    if expected is None:
        with pytest.raises(DecryptionError):
            decrypt(text, key)
    else:
        assert decrypt(text, key) == expected


GOOD = sealed(b"{}")
VECTOR, TEXT = GOOD.split(".")


MALFORMED: dict[str, tuple[Any, Any]] = {
    "empty": ("", KEY),
    "dot only": (".", KEY),
    "no dot": (VECTOR, KEY),
    "dot at the end": (f"{GOOD}.", KEY),
    "no text": (f"{VECTOR}.", KEY),
    "no vector": (f".{TEXT}", KEY),
    "line feed": (f"{VECTOR}.{TEXT}\n", KEY),
    "space": (f"{VECTOR}. {TEXT}", KEY),
    "short text": (f"{VECTOR}.{TEXT[:-4]}", KEY),
    "no padding of base64": (GOOD.replace("=", ""), KEY),
    "letter": (GOOD.replace("=", "é"), KEY),
    "zero padding": (sealed(b"{}", pad=bytes(14)), KEY),
    "wrong padding": (sealed(b"{}", pad=b"\x0f" * 14), KEY),
    "no UTF-8": (sealed(b"\xff\xfe"), KEY),
    "other key": (GOOD, OTHER),
    "no key": (GOOD, ""),
    "long key": (GOOD, base64.b64encode(bytes(32)).decode()),
    "key with line feed": (GOOD, KEY + "\n"),
    "text None": (None, KEY),
    "key None": (GOOD, None),
    "number": (7, KEY),
}


@pytest.mark.parametrize(("text", "key"), MALFORMED.values(), ids=MALFORMED)
def test_all_that_is_malformed_is_one_failure(text: Any, key: Any) -> None:
    """Missing dots, lengths, letters, padding, UTF-8: the error never says which it was."""
    with pytest.raises(DecryptionError) as caught:
        decrypt(text, key)
    assert str(caught.value) == str(DecryptionError())
    assert caught.value.__cause__ is None


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_any_text_comes_back(text: str) -> None:
    """What was encrypted is decrypted."""
    assert decrypt(sealed(text.encode()), KEY) == text


@pytest.mark.parametrize("key", ["", "abc", base64.b64encode(bytes(15)).decode(), 7, KEY[:-2]])
def test_a_wrong_key_is_told_without_showing_it(key: object) -> None:
    """It is a mistake of set-up, found when the source is made."""
    with pytest.raises(ConfigurationError, match=r"^decryption_key: is no key, must be the base64"):
        GrowthBook("sdk-abc123", decryption_key=key)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("module", "extra", "options"),
    [("cryptography", "crypto", {"decryption_key": KEY}), ("httpx2", "http", {})],
    ids=["crypto", "http"],
)
def test_a_missing_package_is_told_with_the_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch, module: str, extra: str, options: dict[str, Any]
) -> None:
    """When the source is made, and not in its thread."""
    for name in list(sys.modules):
        if name == module or name.startswith(f"{module}."):
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=rf"pip install 'abmiddleware\[{extra}\]'"):
        GrowthBook("sdk-abc123", **options)


# Sections.


def test_present_sections_replace_and_absent_ones_stay() -> None:
    """Null counts as absent."""
    held = merged({**flag(1), "savedGroups": {"a": [1]}, "contextualBandits": {"b": {}}})
    held = merged({"savedGroups": {"c": [2]}, "contextualBandits": None}, held)
    assert held.opened == {
        "features": {"flag": {"defaultValue": 1}},
        "savedGroups": {"c": [2]},
        "contextualBandits": {"b": {}},
    }
    assert held.document is not None
    assert held.document.saved_groups == {"c": [2]}


def test_each_section_is_decrypted() -> None:
    """Empty plain sections beside the encrypted ones do not count."""
    held = merged(
        {
            "features": {},
            "experiments": [],
            "encryptedFeatures": encrypted({"flag": {"defaultValue": 1}}),
            "encryptedExperiments": encrypted([{"key": "x", "variations": [0, 1]}]),
            "encryptedSavedGroups": encrypted({"a": [1]}),
            "encryptedContextualBandits": encrypted({"b": {}}),
        }
    )
    assert held.opened == {
        "features": {"flag": {"defaultValue": 1}},
        "experiments": [{"key": "x", "variations": [0, 1]}],
        "savedGroups": {"a": [1]},
        "contextualBandits": {"b": {}},
    }
    assert set(held.received) == {
        "encryptedFeatures",
        "encryptedExperiments",
        "encryptedSavedGroups",
        "encryptedContextualBandits",
    }


@pytest.mark.parametrize(
    "broken",
    ["x.y", GOOD[:-4], encrypted([1]), sealed(b"no JSON"), sealed(b"[" * 500), 7, {}],
    ids=["dot", "cut", "list", "text", "deep", "number", "object"],
)
def test_a_section_that_fails_leaves_all_as_it_was(broken: object) -> None:
    """A request never sees features of one configuration and saved groups of another."""
    content = {"encryptedFeatures": broken, "encryptedSavedGroups": encrypted({"a": [1]})}
    with pytest.raises(DocumentError, match=r"^encryptedFeatures: (is|cannot)"):
        merged(content, merged(flag(1)))


def test_an_empty_encrypted_section_is_none() -> None:
    """Others of the same payload are taken over."""
    held = merged({"encryptedFeatures": "", "savedGroups": {"a": [1]}}, merged(flag(1)))
    assert held.opened == {**merged(flag(1)).opened, "savedGroups": {"a": [1]}}


def rotated(name: str) -> Any:
    """Return a payload as GrowthBook sends it, whose section was sealed with another key."""
    other = encrypted({})[::-1]
    return {"features": {}, "experiments": [], name: other, "dateUpdated": "2026-02-01"}


@pytest.mark.parametrize("key", [OTHER, None], ids=["other key", "no key"])
def test_what_cannot_be_opened_is_no_configuration(server: Server, key: str | None) -> None:
    """The empty plain sections beside it hold its place, and are no sign of being ready."""
    sealed_features = encrypted({"flag": {"defaultValue": 1}})
    content = {"features": {}, "experiments": [], "encryptedFeatures": sealed_features}
    server.api = payload(content, etag='"1"')
    with watching(server, decryption_key=key) as watched:
        watched.until(lambda: watched.source.status().failures >= 3)
        status = watched.source.status()
    assert watched.values == []
    assert not status.ready
    assert status.age_seconds is None
    assert status.last_error.startswith("encryptedFeatures: ")


@pytest.mark.parametrize("name", ["encryptedFeatures", "encryptedSavedGroups"])
def test_a_section_that_fails_later_neither_serves_nor_reaches_the_disk(
    server: Server, tmp_path: Path, name: str
) -> None:
    """What was held serves on, ages and stays on disk; the mend is taken over."""
    last_good = tmp_path / "growthbook.json"
    good: dict[str, Any] = {"features": {}, "experiments": []}
    server.api = payload(
        {**good, "encryptedFeatures": encrypted({"flag": {"defaultValue": 1}})}, etag='"1"'
    )
    with watching(server, decryption_key=KEY, last_good=last_good) as watched:
        watched.sees(1)
        watched.until(last_good.exists)
        kept = last_good.read_bytes()
        server.api = payload(rotated(name), etag='"2"')
        watched.keeps(1, lambda: watched.source.status().failures >= 3)
        status = watched.source.status()
        assert status.last_error.startswith(f"{name}: cannot be decrypted")
        assert status.origin == "poll"
        assert last_good.read_bytes() == kept
        server.api = payload(
            {**good, "encryptedFeatures": encrypted({"flag": {"defaultValue": 2}})}, etag='"3"'
        )
        watched.sees(2)
        watched.until(lambda: not watched.source.status().last_error)
        watched.until(lambda: last_good.read_bytes() != kept)


def test_plain_sections_replace_encrypted_ones() -> None:
    """A connection that no longer encrypts leaves nothing encrypted behind."""
    before = merged({"encryptedFeatures": encrypted({"flag": {"defaultValue": 1}})})
    held = merged(flag(2), before)
    assert set(held.received) == {"features"}
    assert held.opened["features"] == {"flag": {"defaultValue": 2}}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ([], "payload: is [], must be an object"),
        ("x", "payload: is 'x', must be an object"),
        (None, "payload: is None, must be an object"),
        ({}, "payload: has no section"),
        ({"features": None}, "payload: has no section"),
        ({"status": 400, "error": "Invalid key"}, "holds an error of the server: 'Invalid key'"),
        ({"features": []}, "features: is [], must be an object"),
        ({"features": {}, "experiments": {}}, "experiments: is {}, must be a list"),
        ({"encryptedFeatures": "x"}, "encryptedFeatures: cannot be decrypted"),
    ],
)
def test_a_document_that_may_not_be_used(content: object, problem: str) -> None:
    """It is refused as a whole, with the place and the mend."""
    with pytest.raises(DocumentError) as caught:
        merged(content, merged(flag(1)))
    assert problem in str(caught.value)


def test_an_encrypted_payload_without_a_key_tells_the_mend(server: Server) -> None:
    """Somebody switched encryption on and forgot the key."""
    server.api = payload({"features": {}, "encryptedFeatures": encrypted({})})
    with watching(server) as watched:
        watched.until(lambda: watched.source.status().last_error)
        assert "give the source its decryption_key" in watched.source.status().last_error
        assert not watched.source.status().ready


def test_an_encrypted_payload_is_served(server: Server) -> None:
    """From the server to the flag."""
    sealed_features = encrypted({"flag": {"defaultValue": 1}})
    server.api = payload({"features": {}, "encryptedFeatures": sealed_features}, compress=True)
    with watching(server, decryption_key=KEY) as watched:
        watched.sees(1)


# JSON.


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" \n",
        b"{",
        b"}",
        b"[}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b"[1e999]",
        b"[" + b"9" * 5000 + b"]",
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\x01"}',
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b"{'a':1}",
        b"{}{}",
        b'"\\',
        b"\x80\x04K\x01.",
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"[" * 1_000_000,
        b"]" * 1_000_000,
        b"[" * 1_000_000 + b"]" * 1_000_000,
        b'{"[":' * 1_000_000,
        b"[[],".join([b""] * 100_000),
        b" " * (MAX_BYTES + 1),
    ],
    ids=lambda raw: f"{raw[:12]!r}x{len(raw)}",
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    """In time, and by one error."""
    with pytest.raises(DocumentError):
        decode_json(raw)


def test_depth_is_told() -> None:
    """Also where no two brackets stand side by side."""
    with pytest.raises(DocumentError, match="nested deeper than 64 levels"):
        decode_json(b"[[]," * 70 + b"7" + b"]" * 70)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 64 + "]" * 64,
        '"' + "[" * 1000 + '"',
        '{"[[[[\\"{{{": "\\\\"}',
        r'["\\", "\\\"[", "]\\\\"]',
        '{"a": "\\ud83d\\ude00"}',
        "[[],[],[[[]]]]",
        "7",
    ],
)
def test_brackets_in_strings_do_not_count(text: str) -> None:
    """Depth is that of the values, and 64 levels are allowed."""
    assert decode_json(text.encode()) == json.loads(text)


def test_a_byte_order_mark_is_left_out(server: Server) -> None:
    """Some proxies and editors put one before the text."""
    server.api = raw(b"\xef\xbb\xbf" + json.dumps(flag(1)).encode())
    with watching(server) as watched:
        watched.sees(1)


@pytest.mark.parametrize("raw", [b"{}", b"{"], ids=["good", "bad"])
@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(raw: bytes, enabled: bool) -> None:
    """Whoever runs without it still does afterwards, and whoever runs with it, too."""
    before = gc.isenabled()
    gc.enable() if enabled else gc.disable()
    try:
        with contextlib.suppress(DocumentError):
            decode_json(raw)
        assert gc.isenabled() is enabled
    finally:
        gc.enable() if before else gc.disable()


FORK = """
import gc, os, sys
import msgspec
from abmiddleware.sources import json_text

def decode(raw):
    assert not gc.isenabled()
    if not os.fork():
        os._exit(gc.isenabled())
    print(os.waitstatus_to_exitcode(os.wait()[1]))

msgspec.json.decode = decode
json_text.decode_json(b"{}")
gc.disable()
json_text.decode_json(b"{}")
"""


def test_a_child_forked_amid_decoding_has_its_garbage_collector() -> None:
    """The thread that turned it off is not in it; whoever runs without it still does."""
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("1\n0\n", "")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda part: st.lists(part) | st.dictionaries(st.text(st.characters(codec="utf-8")), part),
)


@given(JSON, st.booleans())
def test_any_json_is_read_as_python_reads_it(value: Any, ascii_only: bool) -> None:
    """Whatever letters, escapes and brackets it holds."""
    assert decode_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value
