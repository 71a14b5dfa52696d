"""Membership in lists: those of conditions, and saved groups (specification, sections 6.5, 23)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from abmiddleware.evaluation.values import is_number

Test = Callable[[object], bool]


class SavedGroups(dict[str, object]):
    """The saved groups of a document, and one test for each, whatever number of conditions ask."""

    def __init__(self, groups: object = None) -> None:
        super().__init__(groups if isinstance(groups, Mapping) else {})
        self._tests: dict[str, Test] = {}

    @classmethod
    def of(cls, groups: object) -> SavedGroups:
        """Return groups as they are, or those of a JSON object; none for what is neither."""
        return groups if isinstance(groups, cls) else cls(groups)

    def listed(self, name: str) -> Test | None:
        """Return the test for membership in a group, typed or not; None for one that is no list."""
        test = self._tests.get(name)
        if test is None:
            items = _group_items(self.get(name))
            if items is None:
                return None
            # The first of several threads wins, so that the others keep no copy.
            test = self._tests.setdefault(name, list_test(items, ignore_case=False))
        return test


def _group_items(group: object) -> list[object] | None:
    """Return the members of a saved group; None for one that is no list (23)."""
    if group is None:
        return []
    if isinstance(group, Mapping) and group.get("type") == "list":
        group = group.get("values")
    return group if isinstance(group, list) else None


def list_test(items: list[object] | tuple[object, ...], *, ignore_case: bool) -> Test:
    """Return a test for strict membership; it costs one look-up however long the list is."""
    if ignore_case:
        items = [item.lower() if isinstance(item, str) else item for item in items]
    strings = frozenset(item for item in items if isinstance(item, str))
    numbers = frozenset(item for item in items if is_number(item) and item == item)
    constants = [item for item in (None, True, False) if any(item is each for each in items)]

    def member(value: object) -> bool:
        if isinstance(value, str):
            return (value.lower() if ignore_case else value) in strings
        if value is None or isinstance(value, bool):
            return value in constants
        return is_number(value) and value in numbers

    def test(value: object) -> bool:
        # The most frequent question takes half the time this way.
        if type(value) is str:
            return (value.lower() if ignore_case else value) in strings
        return any(map(member, value)) if isinstance(value, list) else member(value)

    return test
