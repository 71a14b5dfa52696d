"""Section 16: auto experiments and URL redirects."""

from __future__ import annotations

from typing import Any

from .experiments import Run
from .freedom import free
from .state import State
from .urls import is_url_targeted, redirect_target
from .values import field, truthy
from .whatwg import UnparsableError, Url, parse

Json = Any


def kind(experiment: Json) -> str:
    """16: redirect, visual or unknown."""
    variations = field(experiment, "variations")
    variations = variations if isinstance(variations, list) else []
    if field(experiment, "urlPatterns") is not None and any(map(_redirect, variations)):
        return "redirect"
    visual = ("domMutations", "js", "css")
    if any(field(each, name) not in (None, "", []) for each in variations for name in visual):
        return "visual"
    return "unknown"


def _redirect(variation: Json) -> str | None:
    target = field(variation, "urlRedirect")
    if target is not None and not isinstance(target, str):
        free("urlRedirect that is not a string")
        return None
    return target or None


def absolute(url: str) -> Url | None:
    """Parse an absolute URL, or return null."""
    try:
        return parse(url)
    except UnparsableError:
        return None


def blocked(experiment: Json, context: Json, url: str) -> bool:
    """16: what is neither run nor tracked."""
    sort = kind(experiment)
    switches = {
        "unknown": True,
        "visual": truthy(field(context, "disableVisualExperiments")),
        "redirect": truthy(field(context, "disableUrlRedirectExperiments")),
    }
    if switches[sort] or field(experiment, "changeId") in (
        field(context, "blockedChangeIds") or []
    ):
        return True
    return sort == "redirect" and _bad_targets(experiment, context, url)


def _bad_targets(experiment: Json, context: Json, url: str) -> bool:
    targets = [target for target in map(_redirect, experiment["variations"]) if target]
    current, parsed = absolute(url), [absolute(target) for target in targets]
    if current is None or None in parsed:
        return True
    place = (current.scheme, current.host_and_port)
    return truthy(field(context, "disableCrossOriginUrlRedirectExperiments")) and any(
        (target.scheme, target.host_and_port) != place for target in parsed if target
    )


def run_auto_experiments(state: State, context: Json) -> list[dict[str, Json]]:
    """16: what each exposure of the context's auto experiments leads to; no redirect is empty."""
    told = []
    experiments = field(context, "experiments")
    for experiment in experiments if isinstance(experiments, list) else []:
        if not isinstance(experiment, dict) or truthy(field(experiment, "manual")):
            continue
        if blocked(experiment, context, state.url):
            continue
        run = Run(state, experiment)
        result = run.result()
        if run.enrolled and run.new:
            told.append(_told(experiment, result, state.url))
        if result["inExperiment"] and kind(experiment) == "redirect":
            break
    return told


def _told(experiment: Json, result: Json, url: str) -> dict[str, Json]:
    redirect = _redirect(result["value"])
    final = ""
    if redirect:
        final = redirect_target(redirect, url, truthy(field(experiment, "persistQueryString")))
        patterns = field(experiment, "urlPatterns")
        if patterns is not None and is_url_targeted(final, patterns):
            final = ""
    return {"inExperiment": True, "urlRedirect": redirect, "urlWithParams": final}
