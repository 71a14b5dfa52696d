"""When to ask again: growing, spread, bounded, and never in step with a hundred others."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware import ConfigurationError, Engine, MemorySink
from abmiddleware.sources import Deadlines, GrowthBook, Retry

RETRY = Retry()


def chance(seed: int) -> Random:
    """Return chance that is the same in each run."""
    return Random(seed)  # noqa: S311  # no secret is made of it


SHARES = st.floats(0, 1)


@given(st.integers(1, 10_000), SHARES)
def test_two_attempts_are_a_second_apart(failures: int, share: float) -> None:
    """Never more than one reconnect a second, and never more than a minute between two."""
    assert 1 <= RETRY.after_failure(failures, draw=lambda: share) <= 60


def test_waits_grow_to_a_minute() -> None:
    """The longest wait of each failure in a row grows by half, up to the limit."""
    longest = [RETRY.after_failure(count, draw=lambda: 1.0) for count in range(1, 15)]
    assert longest == sorted(longest)
    assert longest[0] == 2.5
    assert longest[-1] == 60


@pytest.mark.parametrize("seed", range(20))
def test_a_short_fault_is_over_within_five_seconds(seed: int) -> None:
    """After a fault of six seconds the next attempt comes within about five."""
    random = chance(seed)
    time, failures = 0.0, 0
    while time < 6:
        failures += 1
        time += RETRY.after_failure(failures, draw=random.random)
    assert time - 6 <= 6.5


@given(SHARES)
def test_refusals_wait_for_five_minutes_give_or_take_half(share: float) -> None:
    """The slow lane is minutes wide."""
    assert 150 <= RETRY.after_refusal(lambda: share) <= 450


@pytest.mark.parametrize(("told", "wait"), [(0, 1), (30, 30), (86_400, 300)])
def test_what_the_server_asks_for_is_obeyed_within_bounds(told: float, wait: float) -> None:
    """No server can switch a client off for a day, or make it storm."""
    assert RETRY.after_failure(1, told=told, draw=lambda: 0.0) == wait


def busiest_share(clients: list[list[float]], since: float, until: float) -> float:
    """Return the share of all requests that fall into the busiest second."""
    seconds = Counter(int(time) for times in clients for time in times if since <= time < until)
    return max(seconds.values()) / seconds.total()


def polls(random: Random, *, is_serving: bool, is_up: bool) -> list[float]:
    """Return when a client polls in its first ten minutes."""
    time, times, failures = RETRY.after_start(60, is_serving=is_serving, draw=random.random), [], 0
    while time < 600:
        times.append(time)
        failures += 1
        time += (
            RETRY.after_success(60, random.random)
            if is_up
            else RETRY.after_failure(failures, draw=random.random)
        )
    return times


@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_a_hundred_restarted_workers_do_not_ask_in_step(is_up: bool) -> None:
    """With a last-good configuration, no second of an interval has a fifth of its requests."""
    clients = [polls(chance(seed), is_serving=True, is_up=is_up) for seed in range(100)]
    for begin in range(0, 600, 60):
        assert busiest_share(clients, begin, begin + 60) <= 0.2


def test_workers_without_a_configuration_ask_at_once() -> None:
    """What cannot serve does not wait; while the server is down, they drift apart."""
    assert RETRY.after_start(60, is_serving=False, draw=lambda: 1.0) == 0
    clients = [polls(chance(seed), is_serving=False, is_up=False) for seed in range(100)]
    assert busiest_share(clients, 0, 60) <= 0.2
    assert busiest_share(clients, 60, 120) <= 0.1


def test_a_push_to_all_is_fetched_within_a_second_by_all() -> None:
    """What is pushed to everybody is spread, yet quick."""
    assert RETRY.after_push(lambda: 0.0) == 0
    assert RETRY.after_push(lambda: 1.0) == 1


@pytest.mark.parametrize("name", Retry.__struct_fields__)
@pytest.mark.parametrize("value", [-1, 1e300, float("nan"), float("inf"), "1", None, True])
def test_a_wrong_interval_is_told(name: str, value: object) -> None:
    """The message names the field, the value and the mend."""
    with pytest.raises(ConfigurationError, match=rf"retry\.{name}: is .*, must be a number"):
        Retry(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", Deadlines.__struct_fields__)
@pytest.mark.parametrize("value", [0, -1, 1e300, float("inf"), "1", None])
def test_a_wrong_deadline_is_told(name: str, value: object) -> None:
    """No wait is without an end."""
    with pytest.raises(ConfigurationError, match=rf"deadlines\.{name}: is .*, must be seconds"):
        Deadlines(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, -1, 1e300, float("inf"), float("nan"), "60", None])
def test_a_wrong_poll_interval_is_told(value: object) -> None:
    """So is the interval of the source itself."""
    with pytest.raises(ConfigurationError, match=r"poll_seconds: is .*, must be seconds"):
        GrowthBook("sdk-abc123", poll_seconds=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["", "a/b", "a b", "../x", "sdk\n", None, 7, "x" * 300])
def test_a_wrong_client_key_is_told(key: object) -> None:
    """The message does not repeat it, for it may be another secret."""
    with pytest.raises(
        ConfigurationError, match=r"^client_key: is .*, must be the key alone"
    ) as told:
        GrowthBook(key)  # type: ignore[arg-type]
    assert not key or str(key) not in str(told.value)


def test_a_url_in_the_place_of_the_key_is_told() -> None:
    """Who pastes the whole URL learns where its parts belong."""
    with pytest.raises(ConfigurationError, match=r"^client_key: is a URL .* belongs in host"):
        GrowthBook("https://cdn.growthbook.io/api/features/sdk-abc")


def test_one_source_of_two_engines_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """It tells its changes to the last of them only."""
    source = GrowthBook("sdk-abc123", host="http://127.0.0.1:1")
    Engine(sources=[source], sink=MemorySink())
    assert not caplog.text
    Engine(sources=[source], sink=MemorySink())
    assert "is used by a second engine" in caplog.text


@pytest.mark.parametrize("argument", ["retry", "deadlines", "stream"])
def test_an_option_of_another_type_is_told(argument: str) -> None:
    """It is found when the source is made, not by the thread that would need it."""
    options: dict[str, Any] = {argument: 3}
    with pytest.raises(ConfigurationError, match=rf"^{argument}: is 3, must be "):
        GrowthBook("sdk-abc123", **options)
