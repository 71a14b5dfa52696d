"""Sections 8 and 9: running an experiment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import sticky
from .buckets import choose_variation, get_bucket_range, get_equal_weights, in_audience
from .conditions import eval_condition
from .freedom import free
from .hashing import hash, identity, seed_or, version_or  # noqa: A004  # the specification's name
from .state import State, index_of
from .urls import is_url_targeted, matches_legacy, query_override
from .values import field, truthy

Json = Any
Result = dict[str, Json]


class Run:
    """One run of one experiment: the steps of 8.2, each a method of its number.

    A step returns a result when it ends the run.
    """

    def __init__(
        self,
        state: State,
        experiment: dict[str, Json],
        feature_id: str | None = None,
        path: tuple[str, ...] = (),
        bandit: Json = None,
    ) -> None:
        self.state, self.experiment, self.bandit = state, experiment, bandit
        self.feature_id, self.path = feature_id, path
        self.found = self.blocked = self.enrolled = False
        self.variation = -1
        self.bucket: float | None = None
        if not isinstance(experiment.get("key"), str):
            free("experiment without a key")

    def result(self) -> Result:
        """8.2: all steps in order."""
        for number in range(1, 18):
            step: Callable[[], Result | None] = getattr(self, f"step_{number}")
            result = step()
            if result is not None:
                return result
        return self.step_18()

    @property
    def variations(self) -> list[Json]:
        variations = field(self.experiment, "variations")
        return variations if isinstance(variations, list) else []

    @property
    def sticky_on(self) -> bool:
        return sticky.is_on(self.state, self.experiment)

    def step_1(self) -> Result | None:
        return self.out() if len(self.variations) < 2 else None

    def step_2(self) -> Result | None:
        return None if self.state.enabled else self.out()

    def step_3(self) -> None:
        """8.4: laid over the experiment, of which the caller's object stays as it is."""
        over = field(self.state.overrides, self.experiment.get("key") or "")
        if isinstance(over, dict):
            if {"key", "variations"} & over.keys() or None in over.values():
                free("odd override")
            self.experiment = {**self.experiment, **over}

    def step_4(self) -> Result | None:
        patterns = field(self.experiment, "urlPatterns")
        targeted = patterns is None or is_url_targeted(self.state.url, patterns)
        return None if targeted else self.out()

    def step_5(self) -> Result | None:
        key = self.experiment.get("key") or ""
        index = query_override(str(key), self.state.url, len(self.variations))
        return None if index is None else self.forced(index)

    def step_6(self) -> Result | None:
        key = self.experiment.get("key")
        if not isinstance(key, str) or key not in self.state.forced_variations:
            return None
        if self.state.forced_variations[key] is None:
            free("forced variation of null")
        return self.forced(self.state.forced_variations[key])

    def step_7(self) -> Result | None:
        active = field(self.experiment, "active") is not False
        return None if active and field(self.experiment, "status") != "draft" else self.out()

    def step_8(self) -> Result | None:
        return self.out() if self.identity[1] is None else None

    def step_9(self) -> None:
        if self.sticky_on:
            index, self.blocked = sticky.look_up(self.state, self.experiment)
            if index is not None:
                self.found, self.variation = True, index

    def step_10(self) -> Result | None:
        value, attributes = self.identity[1], self.state.attributes
        inside = self.found or in_audience(self.experiment, value, attributes)
        return None if inside else self.out()

    def step_11(self) -> Result | None:
        if self.found:
            return None
        if field(self.experiment, "include") is not None and not self.included():
            return self.out()
        condition = field(self.experiment, "condition")
        if condition is None:
            return None
        groups = self.state.saved_groups
        return None if eval_condition(condition, self.state.attributes, groups) else self.out()

    def included(self) -> bool:
        include = self.experiment["include"]
        if not callable(include):
            free("include that is not a function")
            return True
        try:
            return include() is not False
        except Exception:  # noqa: BLE001  # the text: "or raises"
            return False

    def step_12(self) -> Result | None:
        from .features import check_parents

        parents = field(self.experiment, "parentConditions")
        if self.found or parents is None:
            return None
        return None if check_parents(self.state, parents, self.path) == "pass" else self.out()

    def step_13(self) -> Result | None:
        groups = field(self.experiment, "groups")
        if self.found or groups is None:
            return None
        if not isinstance(groups, list):
            free("groups that are no list")
            return self.out()
        member = any(
            isinstance(name, str) and self.state.groups.get(name) is True for name in groups
        )
        return None if member else self.out()

    def step_14(self) -> Result | None:
        url = field(self.experiment, "url")
        if url is not None and not matches_legacy(self.state.url, url):
            return self.out()
        seed = seed_or(str(self.experiment.get("key") or ""), field(self.experiment, "seed"))
        version = version_or(1, field(self.experiment, "hashVersion"))
        self.bucket = hash(seed, self.identity[1], version)
        if self.bucket is None:
            return self.out()
        if not self.found:
            self.variation = choose_variation(self.bucket, self.ranges())
        return None

    def ranges(self) -> list[Json]:
        """8.1: `ranges` replace weights and coverage."""
        ranges, n = field(self.experiment, "ranges"), len(self.variations)
        if ranges is None:
            coverage, weights = (field(self.experiment, name) for name in ("coverage", "weights"))
            return get_bucket_range(n, coverage, weights)
        if not isinstance(ranges, list):
            free("ranges that are no list")
            return []
        if len(ranges) > n:
            free("more ranges than variations")
        return ranges[:n]

    def step_15(self) -> Result | None:
        return {**self.out(), "stickyBucketUsed": True} if self.blocked else None

    def step_16(self) -> Result | None:
        return self.out() if self.variation == -1 else None

    def step_17(self) -> Result | None:
        if "force" in self.experiment:
            if self.experiment["force"] is not None:
                return self.forced(self.experiment["force"])
            free("null-field: force of an experiment")
        stopped = field(self.experiment, "status") == "stopped"
        return self.out() if self.state.qa_mode or stopped else None

    def step_18(self) -> Result:
        self.enrolled = True
        result = self.told(self.variation, in_experiment=True, hash_used=True)
        result["bucket"] = self.bucket
        result["stickyBucketUsed"] = self.found
        if self.bandit is not None:
            # 14: the weights that were bucketed with.
            result.update(self.bandit, variationWeights=self.weights())
        if self.sticky_on:
            sticky.save(self.state, self.experiment, result)
        self.new = self.state.track(self.experiment, result)
        return result

    def weights(self) -> Json:
        weights = field(self.experiment, "weights")
        return get_equal_weights(len(self.variations)) if weights is None else weights

    @property
    def identity(self) -> tuple[str, Json]:
        return identity(self.experiment, self.state.attributes, self.sticky_on)

    def out(self) -> Result:
        """8.2: variation 0, not in the experiment, hash not used."""
        return self.told(0, in_experiment=False, hash_used=False)

    def forced(self, index: Json) -> Result:
        """8.3: in, if the index exists."""
        existing = index_of(index, self.variations)
        return self.told(existing or 0, in_experiment=existing is not None, hash_used=False)

    def told(self, index: int, *, in_experiment: bool, hash_used: bool) -> Result:
        """9: the result."""
        name, value = self.identity
        meta = field(self.experiment, "meta")
        if meta and not self.variations:
            free("meta of no variations")
        entry = meta[index] if isinstance(meta, list) and index < len(meta) else {}
        if not isinstance(field(entry, "key") or "", str):
            free("variation key that is not a string")
        result = {
            "variationId": index,
            "value": self.variations[index] if self.variations else None,
            "inExperiment": in_experiment,
            "hashUsed": hash_used,
            "key": field(entry, "key") or str(index),
            "hashAttribute": name,
            "hashValue": "" if value is None else value,
            "featureId": self.feature_id,
            "stickyBucketUsed": False,
        }
        if truthy(field(entry, "name")):
            result["name"] = entry["name"]
        if truthy(field(entry, "passthrough")):
            result["passthrough"] = True
        return result
