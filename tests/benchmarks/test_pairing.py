from __future__ import annotations

import pytest

from benchmarks.pairing import Spread, ratio, spread, take_turns


def test_contenders_take_turns_and_each_is_first_as_often() -> None:
    calls: list[str] = []
    contenders = {name: lambda name=name: calls.append(name) for name in "abc"}
    seconds = take_turns(contenders, rounds=3)
    rounds = [calls[start : start + 3] for start in range(0, len(calls), 3)]
    assert all(sorted(names) == ["a", "b", "c"] for names in rounds)
    assert {names[0] for names in rounds[1:]} == {"a", "b", "c"}
    assert {name: len(values) for name, values in seconds.items()} == {"a": 3, "b": 3, "c": 3}


def test_the_first_round_does_not_count() -> None:
    calls: list[int] = []
    assert len(take_turns({"one": lambda: calls.append(1)}, rounds=4)["one"]) == 4
    assert len(calls) == 5


def test_a_ratio_is_taken_round_by_round() -> None:
    """A machine that is three times as slow in one round does not bend it."""
    assert ratio([2.0, 6.0, 2.2], [1.0, 3.0, 1.1]) == Spread(2.0, 2.0, 2.0, 3)


@pytest.mark.parametrize(
    ("values", "is_trusted"),
    [
        ([1.0, 1.01, 1.02, 1.03, 1.04], True),
        ([1.0, 1.01, 1.02, 1.03], False),
        ([0.8, 0.9, 1.0, 1.1, 1.2], False),
        ([0.1, 1.0, 1.01, 1.02, 9.0], True),
    ],
    ids=["steady", "too few", "scattered", "single outliers"],
)
def test_a_ratio_that_scatters_is_not_trusted(values: list[float], is_trusted: bool) -> None:
    assert spread(values).is_trusted is is_trusted
