"""Importance sampling of paths without a proof, audited by splitting: what passes, what fails, what cannot be told."""
import math
from dataclasses import dataclass, replace

import pytest
from scipy import stats

import rareevents as rare
from tests.test_paths import Z


@dataclass(frozen=True)
class Drifting(rare.Process):
    """A normal walk as a user writes it; `lie` is added to its log density."""

    drift: float = 0.0
    lie: float = 0.0
    start = 0.0
    steps = 16

    def step(self, state, rng):
        return state + self.drift + rng.standard_normal()

    def log_density(self, state, new):
        off = new - state - self.drift
        return self.lie - 0.5 * off * off


WALK, UP = Drifting(), rare.end >= 12.0                            # three standard deviations
BOTH = (rare.end >= 12.0) | (rare.end <= -12.0)


def audit_of(found):
    return next(check for check in found.checks if check.name == "audit")


def test_a_right_proposal_passes():
    """One of 40 populations in an audit that agrees: beyond 3 errors by chance 3 times in 1,000, at this seed not."""
    found = rare.estimate(WALK, UP, Drifting(0.75), samples=20_000, seed=1)
    assert found.verdict == "trusted" and audit_of(found).status == "passed"
    assert "the two agree" in found.reason and "%" in found.reason
    assert abs(found.value - stats.norm.sf(3.0)) < Z * found.std_error
    assert 100_000 < found.evaluations.audit < 3_000_000                   # some were too coarse, more followed
    alone = rare.estimate(WALK, UP, Drifting(0.75), samples=20_000, seed=1, audit=False)
    assert alone.value == found.value and alone.std_error == found.std_error
    assert alone.verdict == "caution" and alone.evaluations.audit == 0


def test_a_missed_half_fails():
    found = rare.estimate(WALK, BOTH, Drifting(0.75), samples=20_000, seed=1)
    assert found.verdict == "not trusted" and audit_of(found).status == "failed"
    assert "misses a part" in found.reason and found.value == pytest.approx(stats.norm.sf(3.0), rel=0.1)


def test_a_density_that_is_not_that_of_its_draws_fails():
    """Every weight is e^-1.6 of what it should be: three quarters of the value is lost, and nothing else shows it."""
    found = rare.estimate(WALK, UP, replace(Drifting(0.75), lie=0.1), samples=20_000, seed=1)
    assert audit_of(found).status == "failed" and found.verdict == "not trusted"


def test_what_cannot_be_told_is_no_failure():
    few = rare.estimate(WALK, UP, Drifting(0.75), samples=20_000, seed=1, audit=0.05)
    assert audit_of(few).status == "unresolved" and few.verdict == "caution" and "raise audit" in few.reason
    limited = rare.estimate(WALK, UP, Drifting(0.75), max_samples=20_000, seed=1)
    assert limited.verdict == "caution" and limited.evaluations.audit == 0        # the audit would break the limit

    def high(path):
        return path[-1] >= 12.0
    plain = rare.estimate(WALK, high, Drifting(0.75), samples=20_000, seed=1)     # no event: nothing can climb to it
    assert plain.verdict == "caution" and plain.evaluations.audit == 0


def test_bits_do_not_depend_on_threads():
    one, two = (rare.estimate(WALK, UP, Drifting(0.75), samples=20_000, seed=1, threads=n) for n in (1, 2))
    assert one.to_json() == two.to_json()


def test_where_it_is_proven_nothing_is_audited():
    walk = rare.RandomWalk(rare.Normal(), 0.0, 16)
    found = rare.estimate(walk, UP, walk.tilt(0.75), samples=20_000, seed=1)
    assert found.verdict == "trusted" and found.evaluations.audit == 0 and math.isfinite(found.bound)
    with pytest.raises(ValueError, match=r"audit must be .* for paths"):
        rare.estimate(WALK, UP, Drifting(0.75), samples=20_000, audit=[Drifting(-0.75)])
