"""Section 16: auto experiments and URL redirects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.cases import context, rows

Json = Any

HERE = "http://x.com/here"
NEW = "http://x.com/new"


def auto(key: str = "exp", **fields: Json) -> dict[str, Json]:
    """Return an experiment that redirects everybody from `/here`."""
    return {
        "key": key,
        "variations": [{}, {"urlRedirect": NEW}],
        "weights": [0, 1],
        "urlPatterns": [{"type": "simple", "pattern": "/here", "include": True}],
        **fields,
    }


def to(target: str, **fields: Json) -> dict[str, Json]:
    return auto(variations=[{}, {"urlRedirect": target}], **fields)


def told(redirect: str | None, final: str | None = None) -> dict[str, Json]:
    """Return an entry; without a final URL of its own the redirect leads where it says."""
    final = redirect if final is None else final
    return {"redirect": redirect, "final": final or None}


UNKNOWN = {"key": "plain", "variations": [{}, {}], "weights": [0, 1]}
ANYWHERE = [{"type": "simple", "pattern": "*", "include": True}]


@pytest.mark.parametrize(
    ("experiments", "given", "expected"),
    rows(
        ("a redirect", [auto()], {}, [told(NEW)]),
        ("no experiments", [], {}, []),
        ("kind: none without URL patterns", [auto(urlPatterns=None)], {}, []),
        ("kind: none without a redirect", [auto(variations=[{}, {}])], {}, []),
        ("kind: unknown ones are not run", [UNKNOWN, auto()], {}, [told(NEW)]),
        ("not targeted", [auto()], {"url": "http://x.com/away"}, []),
        ("blocked: redirects are off", [auto()], {"disableUrlRedirectExperiments": True}, []),
        ("blocked: changeId", [auto(changeId="c")], {"blockedChangeIds": ["b", "c"]}, []),
        (
            "not blocked: another changeId",
            [auto(changeId="c")],
            {"blockedChangeIds": ["b"]},
            [told(NEW)],
        ),
        ("blocked: a relative target", [to("/new")], {}, []),
        (
            "blocked: any relative target",
            [auto(variations=[{"urlRedirect": "new"}, {"urlRedirect": NEW}])],
            *({}, []),
        ),
        ("blocked: a relative current URL", [auto()], {"url": "/here"}, []),
        ("blocked: no current URL", [auto(urlPatterns=ANYWHERE)], {"url": ""}, []),
        (
            "blocked: a blocked one does not stop the next",
            [to("/new"), auto("next")],
            *({}, [told(NEW)]),
        ),
        (
            "cross-origin: another host",
            [to("http://y.com/")],
            *({"disableCrossOriginUrlRedirectExperiments": True}, []),
        ),
        (
            "cross-origin: another scheme",
            [to("https://x.com/")],
            *({"disableCrossOriginUrlRedirectExperiments": True}, []),
        ),
        (
            "cross-origin: the same",
            [to("http://X.com/new")],
            *({"disableCrossOriginUrlRedirectExperiments": True}, [told("http://X.com/new")]),
        ),
        ("cross-origin: allowed", [to("https://y.com/")], {}, [told("https://y.com/")]),
        ("running: the first one only", [auto(), to("http://x.com/2", key="2")], {}, [told(NEW)]),
        (
            "running: the next when out",
            [auto(coverage=0), auto("next")],
            *({}, [told(NEW)]),
        ),
        ("running: the control stops, too", [auto(weights=[1, 0]), auto("next")], {}, [told(None)]),
        ("running: manual ones wait", [auto(manual=True)], {}, []),
        ("running: a manual one does not stop", [auto(manual=True), auto("b")], {}, [told(NEW)]),
        (
            "running: forced users stop and are not tracked",
            [auto(), auto("next")],
            *({"forcedVariations": {"exp": 0}}, []),
        ),
        (
            "running: conditions",
            [auto(condition={"country": "XX"}), auto("next")],
            *({}, [told(NEW)]),
        ),
        ("running: disabled", [auto()], {"enabled": False}, []),
        ("running: not an object (19)", [1, auto()], {}, [told(NEW)]),
        (
            "target: as written",
            [to("http://X.com/a b?x=%20")],
            {},
            [told("http://X.com/a b?x=%20")],
        ),
        (
            "target: the query is not carried along",
            [auto()],
            *({"url": f"{HERE}?a=1"}, [told(NEW)]),
        ),
        (
            "target: it is with persistQueryString",
            [auto(persistQueryString=True)],
            *({"url": f"{HERE}?a=1"}, [told(NEW, f"{NEW}?a=1")]),
        ),
        (
            "target: its own parameters stay",
            [to(f"{NEW}?a=9&a=8", persistQueryString=True)],
            *({"url": f"{HERE}?a=1&b=2"}, [told(f"{NEW}?a=9&a=8", f"{NEW}?a=9&a=8&b=2")]),
        ),
        (
            "target: a repeated parameter gives its first value",
            [auto(persistQueryString=True)],
            *({"url": f"{HERE}?a=1&a=2"}, [told(NEW, f"{NEW}?a=1")]),
        ),
        (
            "target: its fragment stays, the current one does not",
            [to(f"{NEW}#there", persistQueryString=True)],
            *({"url": f"{HERE}?a=1#here"}, [told(f"{NEW}#there", f"{NEW}?a=1#there")]),
        ),
        (
            "target: form encoding",
            [to(f"{NEW}?x=%20", persistQueryString=True)],
            *(
                {"url": f"{HERE}?a=%7e*&b=%C3%A9"},
                [told(f"{NEW}?x=%20", f"{NEW}?x=+&a=%7E*&b=%C3%A9")],
            ),
        ),
        (
            "no redirect to where it would start again",
            [auto(urlPatterns=ANYWHERE), auto("next")],
            *({}, [told(NEW, "")]),
        ),
        (
            "no redirect where the parameters lead back",
            [
                to(
                    "http://x.com/here",
                    persistQueryString=True,
                    urlPatterns=[{"type": "simple", "pattern": "/here?a=1", "include": True}],
                )
            ],
            *({"url": f"{HERE}?a=1"}, [told(HERE, "")]),
        ),
    ),
)
def test_redirects(
    implementation: Any, experiments: Json, given: Json, expected: list[dict[str, Json]]
) -> None:
    """16: one entry for each exposure, and where it leads."""
    fields = {"url": HERE, **given, "experiments": experiments}
    entries = implementation.url_redirect(context(**fields))
    assert all(entry["inExperiment"] is True for entry in entries)
    assert [
        {"redirect": entry.get("urlRedirect") or None, "final": entry.get("urlWithParams") or None}
        for entry in entries
    ] == expected
