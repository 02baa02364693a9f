"""Bad input: each error names the argument, its value and the rule, before anything is drawn."""
import functools
import math
import operator
from dataclasses import dataclass

import numpy as np
import pytest

import rareevents as rare

P, Q, EVENT = rare.Poisson(4.0), rare.Poisson(20.0), rare.at_least(20)


@pytest.mark.parametrize(("make", "kind", "words"), [
    (lambda: rare.Poisson(-1.0), ValueError, ("rate", "-1.0", ">= 0")),
    (lambda: rare.Poisson(math.nan), ValueError, ("rate", "nan", "finite")),
    (lambda: rare.Poisson("4"), TypeError, ("rate", "'4'", "number")),
    (lambda: rare.Categorical([0.5, 0.6]), ValueError, ("probabilities", "1.1", "sum")),
    (lambda: rare.Mixture([], []), ValueError, ("components", "at least one")),
    (lambda: rare.estimate(P, EVENT, samples=0), ValueError, ("samples", "0", "[1")),
    (lambda: rare.estimate(P, EVENT, samples=-5), ValueError, ("samples", "-5")),
    (lambda: rare.estimate(P, EVENT, samples=1e6), TypeError, ("samples", "1000000.0", "integer")),
    (lambda: rare.estimate(P, EVENT), ValueError, ("samples", "relative_error")),
    (lambda: rare.estimate(P, EVENT, relative_error=-0.1), ValueError, ("relative_error", "-0.1", "above 0")),
    (lambda: rare.estimate(P, EVENT, max_seconds=math.inf), ValueError, ("max_seconds", "inf", "finite")),
    (lambda: rare.estimate(P, EVENT, samples=10, seed=-1), ValueError, ("seed", "-1", "2^64")),
    (lambda: rare.estimate(P, EVENT, samples=10, seed=2 ** 64), ValueError, ("seed", str(2 ** 64))),
    (lambda: rare.estimate(P, EVENT, samples=10, confidence=1.0), ValueError, ("confidence", "1.0", "(0, 1)")),
    (lambda: rare.estimate(P, EVENT, samples=10, threads=0), ValueError, ("threads", "0", "at least 1")),
    (lambda: rare.estimate(4.0, EVENT, samples=10), TypeError, ("nominal", "4.0", "Distribution")),
    (lambda: rare.estimate(P, EVENT, proposal=20.0, samples=10), TypeError, ("proposal", "20.0", "Distribution")),
    (lambda: rare.estimate(P, 20, samples=10), TypeError, ("f", "20", "event or a plain function")),
    (lambda: rare.estimate(P, rare.identity, samples=10), TypeError, ("f", "identity", "compare")),
    (lambda: rare.estimate(P, EVENT, proposal=rare.Normal(20.0, 2.0), samples=10), ValueError, ("proposal", "int")),
    (lambda: rare.estimate(P, EVENT, proposal=rare.IID(P, 2), samples=10), ValueError, ("proposal", "size")),
    (lambda: rare.compare(P, EVENT, {}, samples=10), ValueError, ("proposals", "{}", "at least one")),
    (lambda: rare.compare(P, EVENT, [None], samples=10), ValueError, ("proposals", "mapping")),
    (lambda: rare.weighted_samples(P, Q, -1), ValueError, ("n", "-1", "at least 0")),
    (lambda: P.sample(-1), ValueError, ("n", "-1")),
    (lambda: rare.Event(rare.identity), ValueError, ("level", "at_least")),
    (lambda: rare.Event(rare.identity, at_least=math.nan), ValueError, ("at_least", "NaN")),
    (lambda: rare.Event(rare.identity, at_least=3, at_most=2), ValueError, ("at_least", "at_most", "3 > 2")),
    (lambda: rare.identity > 20, TypeError, (">=", "identity")),
    (lambda: EVENT | (lambda x: x), TypeError, ("events combine",)),
    (lambda: rare.linear([1.0, math.inf]), ValueError, ("a", "finite")),
    (lambda: rare.component(-1), ValueError, ("i", "-1")),
    (lambda: rare.black_box(3), TypeError, ("f", "3", "callable")),
], ids=lambda value: None)
def test_names_argument_value_and_rule(make, kind, words):
    with pytest.raises(kind) as caught:
        make()
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_a_proposal_that_cannot_draw_part_of_the_event_is_refused():
    with pytest.raises(ValueError, match=r"proposal must cover the event.*Binomial"):
        rare.estimate(P, EVENT, proposal=rare.Binomial(25, 0.8), samples=1000)
    with pytest.raises(ValueError, match=r"proposal must cover"):
        rare.estimate(rare.Normal(0.0, 1.0), rare.at_most(-3.0), proposal=rare.Exponential(1.0), samples=1000)
    with pytest.raises(ValueError, match=r"proposal must cover"):                     # a hole inside a finite support
        rare.estimate(rare.Categorical([0.2, 0.3, 0.5]), rare.at_least(1), proposal=rare.Categorical([0.5, 0.0, 0.5]),
                      samples=1000)
    with pytest.raises(ValueError, match=r"proposal must cover.*x = "):               # found by nominal draws
        rare.estimate(P, lambda x: x <= 5, proposal=rare.Shifted(P, 3), samples=1000)


def test_a_hole_between_the_components_of_a_mixture_is_found():
    nominal = rare.Uniform(0.0, 10.0)
    hole = rare.Mixture([rare.Uniform(0.0, 1.0), rare.Uniform(9.0, 10.0)], [0.5, 0.5])
    with pytest.raises(ValueError, match="proposal must cover"):
        rare.estimate(nominal, rare.at_least(8.0), proposal=hole, samples=1000)
    for wrapped in (rare.Truncated(hole, 0.0, 9.5), rare.Shifted(hole, 0.5)):
        with pytest.raises(ValueError, match="proposal must cover"):
            rare.estimate(nominal, rare.at_least(8.0), proposal=wrapped, samples=1000)
    gap = rare.ZeroInflated(rare.Shifted(P, 5), 0.5)                                  # draws 0, 5, 6, ...
    with pytest.raises(ValueError, match="proposal must cover"):
        rare.estimate(P, rare.at_most(3), proposal=gap, samples=1000)
    with pytest.raises(ValueError, match="proposal must cover"):                      # the same in a vector
        rare.estimate(rare.IID(P, 2), rare.total <= 5, proposal=rare.IID(gap, 2), samples=1000)
    estimate = rare.estimate(nominal, rare.at_least(9.0), proposal=hole, samples=10_000, seed=1)
    assert abs(estimate.value - 0.1) <= 4.9 * estimate.std_error                      # false alarm 1e-6


@pytest.mark.parametrize("point", [rare.Poisson(0.0), rare.Geometric(1.0), rare.NegativeBinomial(2.0, 1.0),
                                   rare.ZeroInflated(rare.Poisson(3.0), 1.0), rare.Binomial(10 ** 6, 0.0)], ids=str)
def test_a_law_of_a_single_point_covers_nothing_else(point):
    with pytest.raises(ValueError, match="proposal must cover"):
        rare.estimate(P, rare.at_least(0), proposal=point, samples=1000)


def test_a_proposal_may_miss_what_is_outside_the_event():
    estimate = rare.estimate(P, EVENT, proposal=rare.Shifted(rare.Geometric(0.8), 20), samples=20_000, seed=1)
    assert abs(estimate.value - 1.0200522106e-08) <= 4.9 * estimate.std_error         # false alarm 1e-6


def test_an_opaque_integrand_on_a_smaller_support_is_at_most_caution():
    estimate = rare.estimate(P, lambda x: x >= 25, proposal=rare.Shifted(P, 22), samples=20_000, seed=1, audit=False)
    assert estimate.verdict == "caution" and "reach" in estimate.reason
    hole = rare.estimate(P, lambda x: x >= 20, proposal=rare.Shifted(P, 21), samples=20_000, seed=1)      # misses 20
    assert hole.verdict == "not trusted" and "Exploration found" in hole.reason


# ------------------------------------------------------------------------------------------------ user functions
def raises(x):
    if x > 10:
        raise ValueError("too many storms")
    return 1.0


def gives_nan(x):
    return math.nan if x > 10 else 1.0


LOOKUP = np.arange(11.0)


def out_of_range(x):
    return LOOKUP[x]


def divides(x):
    return 1.0 / (x - 4)


def unknown(x):
    return x.storms


def nothing(x):
    if x > 100:
        return 1.0
    return None


@pytest.mark.parametrize(("f", "words"), [
    (raises, ("raises", "test_bad_input.py, line", "ValueError", "too many storms", "chunk 0", "x = ")),
    (gives_nan, ("gives_nan", "test_bad_input.py", "nan", "chunk 0", "finite")),
    (out_of_range, ("out_of_range", "IndexError", "chunk 0", "x = ")),
    (divides, ("divides", "ZeroDivisionError", "x = 4")),
    (unknown, ("unknown", "AttributeError", "storms")),
    (nothing, ("nothing", "None")),
], ids=lambda value: getattr(value, "__name__", None))
def test_a_failing_integrand_is_named_with_its_line_and_draw(f, words):
    with pytest.raises(rare.UserFunctionError) as caught:
        rare.estimate(P, f, samples=5000, seed=1)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_what_does_not_compile_is_named():
    box = object()

    def uses_object(x):
        return 1.0 if box is None else 0.0
    with pytest.raises(TypeError, match=r"uses_object .*uses 'box', a object"):
        rare.estimate(P, uses_object, samples=10)

    def uses_global_randomness(x):
        return np.random.random()                                                           # noqa: NPY002
    with pytest.raises(TypeError, match="take randomness from rng only"):
        rare.estimate(P, uses_global_randomness, samples=10)

    def formats(x):
        return len("{:>5}".format(x))                                                       # noqa: UP032
    with pytest.raises(rare.CompileError, match=r"formats \(.*test_bad_input.py, line \d+\)"):
        rare.estimate(P, formats, samples=10)


def late_failure(x):
    if x >= 15:
        raise ValueError("late")
    return 1.0


def test_what_was_computed_before_a_failure_is_kept():
    with pytest.raises(rare.UserFunctionError, match="late") as caught:
        rare.estimate(P, late_failure, samples=10_000_000, seed=1, threads=2)
    kept = caught.value.estimate
    assert kept.samples > 0 and kept.value == 1.0 and kept.stopped_by == "error"


@dataclass(frozen=True)
class Liar(rare.Distribution):
    """Draws 0, 1, 2, ... but gives odd numbers no probability."""

    rate: float
    support = rare.integers(0, math.inf)

    def draw(self, rng):
        return rng.poisson(self.rate)

    def log_density(self, x):
        return -math.inf if x % 2 == 1 else -0.5 * x


def test_zero_density_at_a_drawn_point_is_named():
    with pytest.raises(rare.UserFunctionError, match=r"proposal Liar.*-inf at its own draw x = \d+"):
        rare.estimate(P, rare.at_least(10), proposal=Liar(8.0), samples=1000)


def test_black_box_failures_are_named():
    def broken(x):
        raise OSError("no licence")
    with pytest.raises(rare.UserFunctionError, match=r"broken .*OSError: no licence"):
        rare.estimate(P, rare.black_box(broken), samples=10)
    with pytest.raises(rare.UserFunctionError, match=r"returned .*nan"):
        rare.estimate(P, rare.black_box(lambda x: math.nan if x > 5 else 1.0), samples=1000)
    with pytest.raises(ValueError, match="one value per draw"):
        rare.estimate(P, rare.black_box(lambda x: 3.0, vectorized=True), samples=10)


# ------------------------------------------------------------------------------------------------ once silently wrong
N = rare.Normal(0.0, 1.0)


@dataclass(frozen=True)
class Unguarded(rare.Distribution):
    """An exponential law whose log density is not -inf below 0; `shift` moves its draws, `log_c` spoils its mass."""

    shift: float = 0.0
    log_c: float = 0.0
    support = rare.reals(0.0, math.inf)

    def draw(self, rng):
        return rng.standard_exponential() + self.shift

    def log_density(self, x):
        return self.log_c - x


@pytest.mark.parametrize(("make", "kind", "words"), [
    (lambda: rare.estimate(rare.IID(N, 3), rare.linear([1.0]) >= 0.5, samples=10), ValueError, ("a", "3", "1")),
    (lambda: rare.estimate(rare.IID(N, 3), rare.component(5) >= 0.5, samples=10), ValueError,
     ("i", "3", "component(5)")),
    (lambda: rare.estimate(rare.IID(N, 3), ~(rare.at_least(3) | rare.at_most(0)), samples=10), ValueError, ("f", "3")),
    (lambda: rare.estimate(P, rare.total >= 3, samples=10), ValueError, ("f", "total")),
    (lambda: 3 <= rare.identity <= 5, TypeError, ("truth value", "&")),
    (lambda: rare.at_least(3) and rare.at_most(5), TypeError, ("truth value",)),
    (lambda: rare.identity == 5, TypeError, ("identity == 5", "Event")),
    (lambda: rare.Poisson(1e19), ValueError, ("rate", "1e15")),
    (lambda: rare.Shifted(P, 2 ** 60), ValueError, ("by", "2^53")),
    (lambda: rare.reals(1.0, 0.0), ValueError, ("low", "high")),
    (lambda: rare.estimate(N, rare.score(lambda x: math.nan if x > 3.0 else x) >= 2.0, samples=10_000),
     rare.UserFunctionError, ("NaN", "x = 3.")),
    (lambda: rare.estimate(rare.Poisson(50.0), lambda x: x ** 10, samples=10 ** 7), rare.UserFunctionError,
     ("plain Python", "compiled")),
    (lambda: rare.estimate(P, lambda x: np.arange(14.0)[x], samples=10 ** 6), rare.UserFunctionError, ("IndexError",)),
    (lambda: rare.estimate(P, lambda x: "a", samples=10), TypeError, ("number", "'a'")),
    (lambda: rare.estimate(Unguarded(-5.0), rare.at_least(0.5), samples=1000), rare.UserFunctionError,
     ("drew", "support must agree")),
], ids=lambda value: None)
def test_what_was_once_silently_wrong_is_refused(make, kind, words):
    with pytest.raises(kind) as caught:
        make()
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_the_support_of_a_users_law_is_enforced():
    q = rare.Mixture([rare.Normal(-2.0, 1.0), Unguarded()], [0.5, 0.5])
    found = rare.estimate(N, rare.at_most(-2), proposal=q, samples=200_000, seed=1)
    assert abs(found.value - 0.022750131948179195) < 4.9 * found.std_error


def test_a_probability_above_one_is_not_trusted():
    found = rare.estimate(Unguarded(0.0, 1.0), rare.at_least(0.1), proposal=rare.Exponential(0.8), samples=20_000,
                          seed=1)
    assert found.verdict == "not trusted" and "not normalised" in found.reason


def test_terms_too_small_for_a_double_give_no_error_bar():
    for law, level, q in ((N, 37.6, rare.Normal(37.6, 1.0)), (rare.Poisson(1.0), 100, rare.Poisson(100.0))):
        found = rare.estimate(law, rare.at_least(level), proposal=q, samples=3000, seed=1)
        assert found.verdict == "not trusted" and found.interval() == (0.0, 1.0)
    heavy = rare.estimate(N, rare.at_least(4.0), samples=10 ** 6, seed=1,
                          proposal=rare.Mixture([rare.Normal(4.0, 1.0), rare.StudentT(2.0, 4.0, 1.0)], [0.9, 0.1]))
    assert heavy.verdict == "trusted"                      # a few weights underflow, which costs nothing


def test_many_parts_are_data():
    union = functools.reduce(operator.or_, [rare.at_least(20.0 + i) for i in range(40)])
    found = rare.estimate(P, union, proposal=rare.Poisson(20.0), samples=20_000, seed=1)
    assert abs(found.value - 1.0200522106e-08) < 4.9 * found.std_error
