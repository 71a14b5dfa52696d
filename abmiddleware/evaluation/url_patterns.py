"""The pages that an experiment runs on, compiled once into functions (specification, section 12).

What cannot be used matches no page, and is listed as a problem for the definition's author.
Differences from GrowthBook's SDK for JavaScript that stay: `*` stands for line ends as well, and
five underscores only for themselves; a regular expression has the limits that `patterns` sets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.definition import UrlPattern
from abmiddleware.evaluation.patterns import (
    Budget,
    PatternError,
    RefusedPatternError,
    compile_pattern,
)
from abmiddleware.evaluation.urls import Url, decoded, parse_url, query_pairs
from abmiddleware.evaluation.values import shown

Targeted = Callable[[str], bool]
_Test = Callable[[Url], bool]
_Fits = Callable[[str], bool]

#: A regular expression is searched for in a URL with scheme and host, and without.
_TEXTS: Final = 2
#: What a relative page is resolved against.
_PAGE_BASE: Final = "https://_"
#: What a pattern without a host is resolved against: it matches every host.
_PATTERN_BASE: Final = "https://*"
#: How a pattern starts that is a host without a scheme.
_BARE_HOST: Final = re.compile(r"[^:/?]*\.")
_SCHEME_AND_HOST: Final = re.compile("[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


def compile_targets(
    targets: object, path: str = "url_patterns", problems: list[Problem] | None = None
) -> Targeted:
    """Compile a list of patterns into a function that tells whether a URL is targeted (12.1).

    Neither this nor the function raises. What is no list targets nothing; an entry that cannot be
    used matches nothing, except that an exclusion excludes what it cannot be tested on in time.

    Args:
        targets: `UrlPattern`s, or JSON objects of `type`, `pattern` and `include`.
        path: where the list stands, for its problems.
        problems: what cannot be used is added to it.
    """
    problems = [] if problems is None else problems
    if not isinstance(targets, (list, tuple)):
        problems.append(Problem(path, f"is {shown(targets)}, must be a list of URL patterns"))
        return _nowhere
    includes: list[_Test] = []
    excludes: list[_Test] = []
    budget = Budget(_TEXTS)
    for index, entry in enumerate(targets):
        target = _read(entry) if isinstance(entry, Mapping) else entry
        matches = _compiled(target, f"{path}[{index}]", problems, budget)
        is_exclusion = isinstance(target, UrlPattern) and target.include is False
        (excludes if is_exclusion else includes).append(matches)
    budget.settle()
    return _targeted(includes, excludes) if targets else _nowhere


def is_url_targeted(url: str, targets: object) -> bool:
    """Tell whether a list of patterns targets a URL (12.1)."""
    return compile_targets(targets)(url)


def _targeted(includes: Sequence[_Test], excludes: Sequence[_Test]) -> Targeted:
    def targeted(url: str) -> bool:
        page = parse_url(url, _PAGE_BASE)
        if page is None:  # it matches neither
            return not includes
        if any(matches(page) for matches in excludes):
            return False
        return not includes or any(matches(page) for matches in includes)

    return targeted


def _read(entry: Mapping[str, Any]) -> UrlPattern:
    include = entry.get("include")
    return UrlPattern(
        entry.get("pattern", ""), entry.get("type", ""), True if include is None else include
    )


def _compiled(target: object, path: str, problems: list[Problem], budget: Budget) -> _Test:
    """Compile one pattern."""
    if not isinstance(target, UrlPattern):
        problems.append(Problem(path, f"is {shown(target)}, must be a URL pattern"))
        return _never
    matches, wrong = _usable(target, budget)
    if not isinstance(target.include, bool):
        wrong["include"] = f"is {shown(target.include)}, must be true or false"
    problems.extend(Problem(f"{path}.{name}", problem) for name, problem in wrong.items())
    return matches


def _usable(target: UrlPattern, budget: Budget) -> tuple[_Test, dict[str, str]]:
    """Return the test, and by field what is wrong with the pattern."""
    if target.type not in ("simple", "regex"):
        return _never, {"type": f"is {shown(target.type)}, must be 'simple' or 'regex'"}
    if not isinstance(target.pattern, str):
        return _never, {"pattern": f"is {shown(target.pattern)}, must be a string"}
    if target.type == "simple":
        matches, problem = _simple(target.pattern)
    else:
        matches, problem = _regex(target.pattern, budget, is_exclusion=target.include is False)
    return matches, {"pattern": f"is {shown(target.pattern)}, {problem}"} if problem else {}


def _nowhere(_: str) -> bool:
    return False


def _never(_: Url) -> bool:
    return False


def _always(_: Url) -> bool:
    return True


def _regex(pattern: str, budget: Budget, *, is_exclusion: bool) -> tuple[_Test, str]:
    """Compile a regular expression; what cannot be tested in time lets nobody in."""
    try:
        found = compile_pattern(pattern, untested=is_exclusion, budget=budget).found
    except PatternError as error:
        is_refused = isinstance(error, RefusedPatternError)
        return (_always if is_exclusion and is_refused else _never), _told(error)
    return lambda page: found(page.href) or found(page.tail), ""


def _told(error: PatternError) -> str:
    if isinstance(error, RefusedPatternError):  # it is one, and says what is wrong with it
        return str(error)
    return f"{error}; must be an ECMAScript regular expression"


def _simple(pattern: str) -> tuple[_Test, str]:
    """Compile a simple pattern; return with it what is wrong with it, or ""."""
    is_bare = _BARE_HOST.match(pattern) is not None
    wanted = parse_url(f"https://{pattern}" if is_bare else pattern, _PATTERN_BASE)
    if wanted is None:
        return _never, "is no URL; must be one or the path of one, with `*` but for the port"
    problem = ""
    if not wanted.host and wanted.scheme != "file":
        problem = f"is read as the scheme {wanted.scheme}:, must start with http:// or /"
    host, path = wildcard(wanted.host.split("*")), _path(wanted.path)
    fragment = wildcard(wanted.fragment.split("*")) if wanted.fragment else None
    fields = _fields(wanted.query)

    def matches(page: Url) -> bool:
        if not (host(page.host) and path(page.path)):
            return False
        if fragment is not None and not (page.fragment and fragment(page.fragment)):
            return False
        if not fields:
            return True
        given = dict(reversed([*query_pairs(page.query)]))  # the first of a name stays
        return all(fits(given.get(name, "")) for name, fits in fields)

    return matches, problem


def _path(pattern: str) -> _Fits:
    """Match a path; one slash at either end is optional on both sides."""
    fits = wildcard(pattern.removeprefix("/").removesuffix("/").split("*"))

    def matches(path: str) -> bool:
        inner = path.removeprefix("/")
        return any(
            fits(text) for text in (inner, path, inner.removesuffix("/"), path.removesuffix("/"))
        )

    return matches


def _fields(query: str) -> list[tuple[str, _Fits]]:
    """Compile the parameters of a query; an encoded asterisk in it is no wildcard."""
    fields = []
    for pair in filter(None, query.replace("+", " ").split("&")):
        name, _, value = pair.partition("=")
        fields.append((decoded(name), wildcard([*map(decoded, value.split("*"))])))
    return fields


def wildcard(pieces: Sequence[str]) -> _Fits:
    """Return a function that tells whether a text is these pieces with anything in between.

    Case is ignored. Each piece is looked for once, from the end of the one before, so that no
    text takes long.
    """
    first, *others = map(_folded, pieces)
    if not others:
        return lambda text: _folded(text) == first
    *middle, last = others

    def fits(text: str) -> bool:
        text = _folded(text)
        start, end = len(first), len(text) - len(last)
        if start > end or not (text.startswith(first) and text.endswith(last)):
            return False
        for piece in middle:
            found = text.find(piece, start, end)
            if found < 0:
                return False
            start = found + len(piece)
        return True

    return fits


def _folded(text: str) -> str:
    """Return a text as ECMAScript compares it where case is ignored."""
    return text.lower() if text.isascii() else "".join(map(_folded_character, text))


def _folded_character(character: str) -> str:
    if character.isascii():
        return character.lower()
    upper = character.upper()
    return character if len(upper) > 1 or upper.isascii() or character > "\uffff" else upper


def compile_legacy_url(
    pattern: object, path: str = "url", problems: list[Problem] | None = None
) -> Targeted:
    """Compile a regular expression into a function that tells whether it is found in a URL (12.2).

    It is searched in the URL as it was written, and without scheme and host. Neither this nor the
    function raises: what is no expression, or too slow a one, is found nowhere.

    Args:
        pattern: the expression.
        path: where it stands, for its problem.
        problems: what is wrong with it is added to it.
    """
    try:
        if not isinstance(pattern, str):
            raise PatternError("not a string")  # noqa: TRY301
        budget = Budget(_TEXTS)
        found = compile_pattern(pattern, budget=budget).found
        budget.settle()
    except PatternError as error:
        if problems is not None:
            problems.append(Problem(path, f"is {shown(pattern)}, {_told(error)}"))
        return _nowhere

    def matches(url: str) -> bool:
        return bool(url) and (found(url) or found(_SCHEME_AND_HOST.sub("", url, 1)))

    return matches
