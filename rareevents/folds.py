"""Functions of several parts from those of one part of each group: parts of a group differ in their numbers alone.

Each takes the number of a group, the function of its parts and what was folded of the later groups, and returns the
plain function (record of all, stacks of the groups from this one on, x) -> value to compile.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def any_of(g: int, happens: Callable[..., Any], rest: Any) -> Callable[..., Any]:
    """Whether a part of group g, or of a later one, happens."""
    def found(e, stacks, x):
        for j in range(e.counts[g]):                       # noqa: SIM110  (compiled: no generators)
            if happens(stacks[0]._take(j), x):
                return True
        return False

    def found_on(e, stacks, x):
        return found(e, stacks, x) or rest(e, stacks[1], x)
    return found if rest is None else found_on


def all_of(g: int, happens: Callable[..., Any], rest: Any) -> Callable[..., Any]:
    """Whether all parts of group g and later ones happen."""
    def found(e, stacks, x):
        for j in range(e.counts[g]):                       # noqa: SIM110
            if not happens(stacks[0]._take(j), x):
                return False
        return True

    def found_on(e, stacks, x):
        return found(e, stacks, x) and rest(e, stacks[1], x)
    return found if rest is None else found_on


def largest_of(g: int, margin: Callable[..., Any], rest: Any) -> Callable[..., Any]:
    """The largest margin of group g and later ones."""
    def found(e, stacks, x):
        best = -math.inf
        for j in range(e.counts[g]):
            best = max(best, margin(stacks[0]._take(j), x))
        return best

    def found_on(e, stacks, x):
        return max(found(e, stacks, x), rest(e, stacks[1], x))
    return found if rest is None else found_on


def smallest_of(g: int, margin: Callable[..., Any], rest: Any) -> Callable[..., Any]:
    """The smallest margin of group g and later ones."""
    def found(e, stacks, x):
        best = math.inf
        for j in range(e.counts[g]):
            best = min(best, margin(stacks[0]._take(j), x))
        return best

    def found_on(e, stacks, x):
        return min(found(e, stacks, x), rest(e, stacks[1], x))
    return found if rest is None else found_on
