"""The checks at their thresholds, their power and false alarms, and every row of the verdict table."""
from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from rareevents.checks import UNCOVERED, UNEXPLORED, Check, Explored, judge, own_checks
from rareevents.intervals import betting, clopper_pearson, hall, rule, zero_hits
from rareevents.moments import Terms

P20 = special.pdtrc(19, 4.0)                         # P(X >= 20), X ~ Poisson(4)
B20 = math.exp(16.0 + 20.0 * math.log(0.2))          # its bound under Poisson(20)


def summary(y):
    y = np.asarray(y, dtype=float)
    d = y - y.mean()
    powers = [float((d**k).sum()) for k in (2, 3, 4)]
    return Terms(len(y), int((y != 0).sum()), int((y < 0).sum()), float(y.mean()), *powers,
                 float(np.abs(y).sum()), np.sort(np.abs(y[y != 0]))[:-1025:-1])


def tilted(n, seed=0):
    x = np.random.default_rng(seed).poisson(20.0, n)
    return np.where(x >= 20, np.exp(16.0 + x * math.log(0.2)), 0.0)


def status(terms, underflows=0, bound=None):
    return {check.name: check.status for check in own_checks(terms, underflows, bound)}


def failed(terms, underflows=0, bound=None):
    return {name for name, value in status(terms, underflows, bound).items() if value == "failed"}


def verdict(y, bound=None, naive=False, indicator=False, stopped_by="samples", extra=(), underflows=0, **options):
    terms = summary(y)
    groups = [summary(part) for part in np.array_split(np.asarray(y, dtype=float), max(1, len(y) // 512))]
    checks = own_checks(terms, underflows, bound) + tuple(extra)
    return judge(terms, groups, bound, naive, indicator, stopped_by == "samples", 0.95, checks, **options)


def lognormal(sigma, n=10_000, seed=0):
    return np.random.default_rng(seed).lognormal(-0.5 * sigma**2, sigma, n)


# --- the checks ---
def test_every_check_is_listed_and_says_something():
    for y, bound in ((tilted(10_000), B20), (lognormal(3.0, 200), 1.0), (np.zeros(9), 1.0)):
        terms = summary(y)
        checks = own_checks(terms, 0, bound)
        assert [check.name for check in checks] == ["numbers", "hits", "relative error", "variance of variance",
                                                    "largest term", "k-hat", "bound"]
        for check in checks:
            assert check.status in ("passed", "failed", "not applicable") and check.sentence.endswith(".")
            assert (check.figure is None) == (check.status == "not applicable")
    assert len(own_checks(terms, 0, None)) == 6


def test_a_good_run_passes():
    assert failed(summary(tilted(10_000)), bound=B20) == set()
    assert status(summary(tilted(10_000)))["k-hat"] == "not applicable"          # a lattice seen at its edge
    assert failed(summary(lognormal(0.5))) == set()


def test_hits_and_relative_error():
    ones = [1.0] * 99 + [0.0] * 9_901
    assert failed(summary(ones)) == {"hits", "relative error"}                   # R = 0.1000
    assert failed(summary(ones + [1.0, 1.0, 0.0])) == set()
    assert failed(summary([1.0] * 50)) == {"hits"}
    assert failed(summary([1.0] * 100 + [0.0] * 900)) == set()                   # 100 are enough


def test_thresholds():
    """Just below passes and just above fails: 0.02, 0.05 and 0.5."""
    terms = summary(lognormal(0.5))
    for figure, expected in ((0.0199, set()), (0.0201, {"variance of variance"})):
        assert failed(terms._replace(m4=terms.m2 ** 2 * (figure + 1.0 / terms.draws))) == expected
    for share, expected in ((0.0499, set()), (0.0501, {"largest term"})):
        largest = terms.largest.copy()
        largest[0] = math.sqrt(share * terms.squares)
        assert "k-hat" in status(terms._replace(largest=largest))
        assert failed(terms._replace(largest=largest)) - {"k-hat"} == expected
    u = (np.arange(1_000) + 0.5) / 1_000
    for shape, expected in ((0.4, "passed"), (0.6, "failed")):                   # the prior pulls to 1/2 but not across
        assert status(terms._replace(largest=u ** -shape, hits=100_000))["k-hat"] == expected


@pytest.mark.parametrize(("large", "expected"), [
    (1.0, set()), (20.0, set()), (60.0, {"variance of variance", "largest term"}),
])
def test_one_large_term(large, expected):
    """9,999 terms of 1 +- 1 and one more: its square against 2e4, its fourth power against the square of 1e4."""
    y = np.concatenate([np.tile([0.0, 2.0], 5_000)[:-1], [large]])
    assert failed(summary(y)) == expected


def test_figures_follow_their_formulas():
    y = lognormal(1.0, 5_000)
    found = {check.name: check.figure for check in own_checks(summary(y), 0, 9.0)}
    d = y - y.mean()
    assert found["relative error"] == pytest.approx(y.std(ddof=1) / y.mean() / math.sqrt(5_000))
    assert found["variance of variance"] == pytest.approx((d**4).sum() / (d**2).sum() ** 2 - 1.0 / 5_000)
    assert found["largest term"] == pytest.approx((y**2).max() / (y**2).sum())
    assert found["bound"] == y.max() and found["hits"] == 5_000


def test_power_and_false_alarms(replicates):
    """Rates in 500 runs of 10,000: lognormal 2.0 fires 100 % (VOV) and 99.8 % (largest term), 0.5 never fires.

    Allowed: 5 % of runs silent, 5 % alarms. At a true rate of 0.2 % more than 5 of 100 runs have probability 1e-7.
    """
    runs = replicates(500, 100)
    loud = [failed(summary(lognormal(2.0, seed=seed))) for seed in range(runs)]
    quiet = [failed(summary(lognormal(0.5, seed=seed))) for seed in range(runs)]
    assert sum("variance of variance" not in names for names in loud) <= 0.05 * runs
    assert sum("largest term" not in names for names in loud) <= 0.05 * runs
    assert sum(bool(names) for names in quiet) <= 0.05 * runs


def test_scale_and_order_change_no_check():
    y = lognormal(1.2)
    reference = [(c.name, c.status) for c in own_checks(summary(y), 0, 50.0)]
    for other, bound in ((y[::-1], 50.0), (y * 2.0**-60, 50.0 * 2.0**-60), (y * 2.0**60, 50.0 * 2.0**60)):
        assert [(c.name, c.status) for c in own_checks(summary(other), 0, bound)] == reference


def test_numbers():
    assert "numbers" not in failed(summary(tilted(1_000)), underflows=1)              # at most 1e-307 is lost
    assert "numbers" in failed(summary(tilted(1_000) * 1e-302), underflows=1)
    assert "numbers" in failed(summary(tilted(1_000))._replace(m4=math.inf))
    assert "numbers" in failed(summary(tilted(1_000))._replace(mean=math.nan))
    for power in (-90, -120, -170):                     # the fourth powers, then the squares too, are below a double
        assert "numbers" in failed(summary(lognormal(0.5) * 10.0**power))
    assert "numbers" not in failed(summary(np.full(1_000, 0.3)))
    assert "numbers" not in failed(summary(np.tile([0.0, 1.0], 1_000)))


def test_bound():
    terms = summary([0.5] * 200)
    assert status(terms, bound=0.5)["bound"] == status(terms, bound=0.5 / (1.0 + 9e-10))["bound"] == "passed"
    assert status(terms, bound=0.5 / (1.0 + 2e-9))["bound"] == "failed"


def test_equal_terms_have_no_variance_to_judge():
    assert status(summary(np.full(1_000, 0.1)))["variance of variance"] == "not applicable"


# --- the verdict, row by row ---
@pytest.mark.parametrize("name", ["chunks", "score", "mass"])
def test_wrong_whatever_else_holds(name):
    extra = Check(name, "failed", 5.0, 3.0, "The groups disagree.")
    found = verdict(tilted(10_000), B20, indicator=True, extra=[extra])
    assert (found.verdict, found.kind, found.reason) == ("not trusted", "asymptotic", "The groups disagree.")


def test_lost_numbers_are_not_trusted():
    found = verdict(tilted(10_000) * 1e-299, B20, indicator=True, underflows=3)
    assert found.verdict == "not trusted" and "1e-307" in found.reason
    with np.errstate(all="ignore"):
        found = verdict(np.full(200, 1e200) * np.arange(200), None)
    assert found.verdict == "not trusted" and found.interval[:2] == (0.0, math.inf)


def test_a_refuted_bound_is_not_trusted():
    y, low = tilted(10_000), B20 / 2.0
    found = verdict(y, low, indicator=True)
    assert found.verdict == "not trusted" and "exceeds the bound" in found.reason
    assert found.interval == rule(summary(y), 0.95, None)                        # the refuted bound is not used


def test_zero_hits():
    known, unknown = verdict(np.zeros(1_000), 1e-5, indicator=True), verdict(np.zeros(1_000), indicator=True)
    assert known[:3] == ("caution", "certified", zero_hits(1_000, 1e-5, 0.95))
    assert known.interval.high == pytest.approx(3.688879454e-8)
    assert unknown[:2] == ("not trusted", "asymptotic") and unknown.interval[:2] == (0.0, 1.0)
    assert verdict(np.zeros(1_000)).interval[:2] == (0.0, math.inf)
    naive = verdict(np.zeros(1_000), naive=True, indicator=True)
    assert naive[:2] == ("caution", "certified") and naive.interval.high == pytest.approx(3.688879454e-3)
    assert verdict(np.zeros(2), naive=True, indicator=True).interval.high == 1.0


def test_proven_and_well_sampled():
    y = tilted(10_000)
    found = verdict(y, B20, indicator=True)
    assert found[:3] == ("trusted", "asymptotic", rule(summary(y), 0.95, B20))
    assert "unseen" in found.reason and found.interval.low < P20 < found.interval.high


def test_slack_decides_between_the_intervals():
    y = tilted(10_000)
    equal = summary(y).relative_error * y.sum() / 3.0                            # B at which 3 B / (n value) = R
    assert verdict(y, 0.999 * equal, indicator=True).kind == "asymptotic"
    assert verdict(y, 1.001 * equal, indicator=True).kind == "certified"


def test_proven_but_too_far_from_the_terms():
    """slack = 3 B / (n value) > R: the asymptotic interval could miss a mode, the certified one could not."""
    y = tilted(10_000)
    groups = [summary(part) for part in np.array_split(y, 19)]
    found = verdict(y, 100.0 * B20, indicator=True)
    assert found[:3] == ("trusted", "certified", betting(groups, 100.0 * B20, 0.95))
    assert 0.02 < found.interval.high / P20 - 1.0 < 0.9
    assert verdict(y, 1e6 * B20, indicator=True)[:2] == ("caution", "certified")


def test_proven_with_a_failing_check_is_certified():
    trend = Check("trend", "failed", 4.0, 3.29, "The terms drift.")
    assert verdict(tilted(10_000), B20, indicator=True)[1] == "asymptotic"
    assert verdict(tilted(10_000), B20, indicator=True, extra=[trend])[:2] == ("trusted", "certified")
    assert verdict(tilted(100), B20, indicator=True)[1] == "certified"           # fewer than 100 hits


@pytest.mark.parametrize(("hits", "expected"), [(1, "caution"), (17, "caution"), (18, "trusted"), (99, "trusted")])
def test_naive_event_of_few_hits_is_exact(hits, expected):
    """A half-width of half the value takes 18 hits."""
    y = np.zeros(100_000)
    y[:hits] = 1.0
    found = verdict(y, naive=True, indicator=True)
    assert found[:3] == (expected, "certified", clopper_pearson(hits, 100_000, 0.95))


def test_naive_event_of_many_hits():
    y = (np.arange(100_000) % 500 == 0) * 1.0
    assert verdict(y, naive=True, indicator=True)[:3] == ("trusted", "asymptotic", rule(summary(y), 0.95, 1.0))


def test_naive_event_with_optional_stopping_bets():
    y = (np.arange(20_000) % 400 == 0) * 1.0
    assert verdict(y, naive=True, indicator=True, stopped_by="samples").interval.method == "clopper-pearson"
    found = verdict(y, naive=True, indicator=True, stopped_by="relative_error")
    assert found.kind == "certified" and found.interval.method == "betting" and found.interval.high <= 1.0


def test_certified_intervals_of_probabilities_end_at_one():
    assert verdict(tilted(10_000), 1e12, indicator=True).interval.high == 1.0


def test_signed_terms_are_never_certified():
    y = np.random.default_rng(1).normal(1.0, 2.0, 10_000).clip(-8.0, 8.0)
    found = verdict(y, 8.0)
    assert found[:3] == ("trusted", "asymptotic", hall(summary(y), 0.95))
    assert verdict(y, 8e3)[:3] == ("caution", "asymptotic", hall(summary(y), 0.95))
    few = verdict(np.tile([-1.0, 3.0], 45), 8.0)
    assert few.verdict == "caution" and few.interval.method == "hall"


@pytest.mark.parametrize("naive", [False, True])
def test_nothing_proven_and_a_heavy_tail(naive):
    found = verdict(lognormal(2.5), naive=naive)
    assert found[:2] == ("not trusted", "asymptotic")
    extra = Check("trend", "failed", 4.0, 3.29, "The terms drift.")
    assert verdict(lognormal(0.5), naive=naive, extra=[extra])[::3] == ("not trusted", "The terms drift.")


@pytest.mark.parametrize("naive", [False, True])
def test_nothing_proven_and_too_few_hits(naive):
    y = np.concatenate([lognormal(0.3, 60), np.zeros(60)])
    found = verdict(y, naive=naive)
    assert found[:2] == ("caution", "asymptotic") and "Too few draws" in found.reason


def test_nothing_proven_and_nothing_explored():
    y = lognormal(0.5)
    assert verdict(y) == ("caution", "asymptotic", rule(summary(y), 0.95, None), UNEXPLORED)
    assert verdict(tilted(10_000), indicator=True)[::3] == ("caution", UNEXPLORED)


@pytest.mark.parametrize(("found", "expected"), [("passed", "trusted"), ("unresolved", "caution"), ("blind", "caution"),
                                                 ("failed", "not trusted")])
def test_what_an_audit_found_decides_where_nothing_is_proven(found, expected):
    assert verdict(lognormal(0.5), explored=Explored(found, "It says."))[::3] == (expected, "It says.")


def test_a_probability_above_one_is_not_trusted():
    """1.1 with an error of 0.001; an integrand may be above one."""
    y = np.tile([1.0, 1.2], 5_000)
    assert verdict(y, 2.0, indicator=True).verdict == "not trusted"
    assert "not normalised" in verdict(y, indicator=True).reason
    assert verdict(y, 2.0).verdict == "trusted"


def test_naive_integrand_without_a_bound():
    y = lognormal(0.5)
    assert verdict(y, naive=True)[:3] == ("trusted", "asymptotic", rule(summary(y), 0.95, None))
    assert verdict(np.ones(10_000), naive=True).verdict == "caution"             # no spread, and nothing proven


def test_support_that_may_not_be_covered_is_at_most_caution():
    assert verdict(lognormal(0.5), support_covered=False)[::3] == ("caution", UNCOVERED)
    assert verdict(tilted(10_000), B20, indicator=True, support_covered=False).verdict == "caution"
    assert verdict(tilted(10_000), 100.0 * B20, indicator=True, support_covered=False).verdict == "caution"
    assert verdict(lognormal(2.5), support_covered=False).verdict == "not trusted"
