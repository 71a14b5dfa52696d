"""Experiments that run by themselves; on a server these are redirects (section 16).

Those that change a page in the browser are left to the browser, which would count them again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.redirects import (
    is_absolute,
    is_cross_origin,
    is_safe_redirect,
    redirect_target,
)
from abmiddleware.evaluation.result import Result
from abmiddleware.evaluation.values import is_truthy


class RedirectOptions(NamedTuple):
    """Which redirects may run."""

    enabled: bool = True
    #: Whether a target may have another scheme or host than the page.
    cross_origin: bool = True
    #: Hosts beside the page's own that a target may have; None for any, as long as it is safe.
    hosts: Collection[str] | None = None
    #: Values of `change_id` that are switched off.
    blocked_changes: Collection[str] = frozenset()


class Chosen(NamedTuple):
    """The redirect experiment that has the visitor in it."""

    plan: Plan
    result: Result[Any]

    def target(self, page: str) -> str | None:
        """Return where the visitor goes; None to stay, as in the control or where it would loop."""
        target = target_of(self.result.value)
        if not target:
            return None
        keeps_query = is_truthy(self.plan.definition.persist_query_string)
        url = redirect_target(target, page, persist_query=keeps_query)
        targets = self.plan.parts.extras.targets
        if url is None or (targets is not None and targets(url)):
            return None
        return url


def target_of(value: object) -> str:
    """Return the URL that a variation redirects to; "" for one that does not."""
    target = value.get("urlRedirect") if isinstance(value, Mapping) else None
    return target if isinstance(target, str) else ""


def is_redirect(plan: Plan) -> bool:
    """Tell whether an experiment is a redirect: it has pages, and a variation that leaves them."""
    if plan.parts.extras.targets is None:
        return False
    return bool(_targets(plan))


#: All may run.
ALL_REDIRECTS: Final = RedirectOptions()


def redirect(
    plans: Iterable[Plan],
    page: str,
    run: Callable[[Plan], Result[Any]],
    options: RedirectOptions = ALL_REDIRECTS,
) -> Chosen | None:
    """Run the redirects in their order up to the first that has the visitor in it.

    Experiments that are `manual` are left out.

    Args:
        plans: the redirects of a configuration.
        page: the URL of the page.
        run: runs one of them for the visitor.
        options: which may run.
    """
    if not options.enabled:
        return None
    for plan in plans:
        if is_truthy(plan.definition.manual) or not may_run(plan, page, options):
            continue
        result = run(plan)
        if result.in_experiment:
            return Chosen(plan, result)
    return None


def may_run(plan: Plan, page: str, options: RedirectOptions) -> bool:
    """Tell whether a redirect may run on a page; it is blocked otherwise."""
    if not is_redirect(plan) or plan.definition.change_id in options.blocked_changes:
        return False
    targets = _targets(plan)
    if not is_absolute(page) or not all(map(is_absolute, targets)):
        return False
    if refused_target(plan, page, options):
        return False
    return options.cross_origin or not any(is_cross_origin(target, page) for target in targets)


def refused_target(plan: Plan, page: str, options: RedirectOptions) -> str:
    """Return a target whose host is not allowed; "" where there is none."""
    if options.hosts is None:
        return ""
    targets = _targets(plan)
    return next((each for each in targets if not is_safe_redirect(each, page, options.hosts)), "")


def relative_target(plan: Plan) -> str:
    """Return a target that is no absolute URL, which switches the redirect off; else ""."""
    return next((each for each in _targets(plan) if not is_absolute(each)), "")


def runs_on(plan: Plan, page: str, options: RedirectOptions) -> bool:
    """Tell whether a page is one of a redirect that may run."""
    targets = plan.parts.extras.targets
    return targets is not None and targets(page) and may_run(plan, page, options)


def _targets(plan: Plan) -> list[str]:
    return [target for arm in plan.parts.arms if (target := target_of(arm.value))]
