"""Ratios that a busy machine cannot bend: contenders take turns, and each round is compared alone.

Absolute times of a shared machine move by a factor of three between runs; the ratio of two calls
made one after the other moves far less. How much it still moved is printed with it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MAX_SPREAD = 0.1
"""An interquartile range above this share of the median makes a ratio untrustworthy."""

MIN_ROUNDS = 5
"""With fewer rounds the quartiles say nothing."""


@dataclass(frozen=True)
class Spread:
    """The middle of some values and how far the middle half of them reaches.

    Attributes:
        median: of all values.
        first_quartile: a quarter of the values lies below.
        third_quartile: a quarter of the values lies above.
        count: how many values there were.
    """

    median: float
    first_quartile: float
    third_quartile: float
    count: int

    @property
    def share(self) -> float:
        """The interquartile range over the median."""
        return (self.third_quartile - self.first_quartile) / self.median

    @property
    def is_trusted(self) -> bool:
        """Whether there were enough values, close enough to each other."""
        return self.count >= MIN_ROUNDS and self.share <= MAX_SPREAD


def spread(values: Sequence[float]) -> Spread:
    """Return median and quartiles of at least one value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0], 1)
    first, median, third = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, first, third, len(values))


def take_turns(
    contenders: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of each contender in each round, after a first round that does not count.

    Every round begins with another contender, so that none always runs after the same one.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(-1, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            start_s = time.perf_counter()
            contenders[name]()
            elapsed_s = time.perf_counter() - start_s
            if number >= 0:
                seconds[name].append(elapsed_s)
    return seconds


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """Return the spread of the ratios, round by round."""
    return spread([over / under for over, under in zip(numerators, denominators, strict=True)])
