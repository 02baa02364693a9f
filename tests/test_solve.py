"""`solve` where the answer is known: by kind of question, never by name; the audit's verdicts; certified intervals."""
import math

import numpy as np
import pytest
from scipy import stats

import rareevents as rare
from rareevents import proposals
from rareevents.methods.audit import budget, explore
from rareevents.methods.gbas import acceptances, gbas
from rareevents.problems.laws import bridge_fails, four_branches, outside_circle, parabola, shortest_path, three_modes

P, N = rare.Poisson, rare.Normal(0.0, 1.0)
Z = 5.0                                                      # standard errors: the project's own measure, 6e-7


BRIDGE_TIMES = rare.Independent([rare.Exponential(1.0 / mean) for mean in (0.25, 0.4, 0.1, 0.3, 0.2)])
PROVEN = {
    "Poisson tail": (P(10.0), rare.at_least(30), 2.5099512015279076e-07),
    "rarer": (P(1.0), rare.at_least(17), 1.0949201303781835e-15),
    "lower tail": (P(100.0), rare.at_most(50), 2.4015922356168156e-08),
    "binomial": (rare.Binomial(1000, 0.001), rare.at_least(12), 7.865873023975429e-10),
    "two regimes": (rare.Mixture([P(2.0), P(8.0)], [0.9, 0.1]), rare.at_least(25), 1.1721937277831946e-07),
    "both sides": (rare.Binomial(60, 0.3), rare.at_most(4) | rare.at_least(36), 1.1327406e-05),
    "a normal number": (N, rare.outside(-2.0, 2.0), 2.0 * stats.norm.sf(2.0)),
    "compound": (rare.CompoundSum(P(10.0), rare.Exponential(1.0)), rare.at_least(40.0), 2.6825229962342674e-06),
    "linear": (rare.IID(N, 100), rare.linear([0.1] * 100) >= 5.0, 2.866515718791939e-07),
}
EXPLORED = {
    "zero-inflated": (rare.ZeroInflated(P(4.0), 0.7), rare.at_least(18), 7.44532805833158e-08),
    "mean": (P(10.0), lambda x: x, 10.0),
    "stop-loss": (rare.CompoundSum(P(10.0), rare.Exponential(1.0)), lambda s: max(s - 40.0, 0.0),
                  4.986380958900568e-06),
    "three modes": (rare.IID(N, 2), three_modes, 7.668738732925712e-05),
    "bridge": (rare.IID(rare.Bernoulli(1e-3), 5), bridge_fails, 2.001995002e-06),
}
SLOW = {
    "four branches": (rare.IID(N, 2), rare.score(four_branches) <= 0.0, 0.0022227950661944398),
    "circle": (rare.IID(N, 2), outside_circle, 3.059023205018258e-07),
    "parabola": (rare.IID(N, 2), rare.score(parabola) >= 0.0, 6.6206137606075595e-06),
    "parabola, 100": (rare.IID(N, 100), rare.score(parabola) >= 0.0, 6.6206137606075595e-06),
    "shortest path": (BRIDGE_TIMES, rare.score(shortest_path) >= 2.0, 1.3424597498e-05),
}


def solved(case, **options):
    law, f, exact = case
    found = rare.solve(law, f, exact=False, seed=3, **options)
    assert abs(found.value - exact) <= Z * found.std_error, found
    assert found.relative_error <= 0.0101 and found.how
    return found


@pytest.mark.parametrize("case", PROVEN.values(), ids=PROVEN)
def test_proven_problems_are_trusted(case):
    plain, certified = solved(case, certify=False), solved(case)
    assert plain.verdict == certified.verdict == "trusted"
    assert plain.bound is not None and plain.evaluations.audit == plain.evaluations.exploration == 0
    assert certified.kind == "certified" and certified.interval()[0] < case[2] < certified.interval()[1]


@pytest.mark.slow
@pytest.mark.parametrize("case", EXPLORED.values(), ids=EXPLORED)
def test_problems_that_are_explored(case, request, replicates):
    if request.node.callspec.id not in ("mean", "bridge") and not replicates(True, False):
        pytest.skip("two of these suffice unless --slow is given")
    found = solved(case)
    assert found.verdict == "trusted" and found.evaluations.audit >= 5000


@pytest.mark.slow
@pytest.mark.parametrize("case", SLOW.values(), ids=SLOW)
def test_opaque_limit_states(case, request, replicates):
    if request.node.callspec.id != "parabola, 100" and not replicates(True, False):
        pytest.skip("one of these suffices unless --slow is given")
    found = solved(case)
    assert found.verdict in ("trusted", "caution") and found.evaluations.learning > 0


@pytest.mark.parametrize(("law", "f", "exact"), [
    *PROVEN.values(), (P(10.0), lambda x: x, 10.0), (rare.Lomax(1.5, 1.0), rare.at_least(1e6), (1e6 + 1.0) ** -1.5),
    (rare.IID(P(2.0), 30), rare.total >= 90, stats.poisson.sf(89, 60.0)),
], ids=lambda value: None)
def test_an_exact_answer_is_returned_as_one(law, f, exact):
    found = rare.solve(law, f)
    assert found.kind == "exact" and found.verdict == "trusted"
    assert found.value == pytest.approx(exact, rel=1e-6) and found.interval() == (found.value, found.value)
    assert found.samples == sum(found.evaluations) == 0 and "exact" in str(found)


def test_a_sampled_run_beside_an_exact_answer():
    law, event, exact = PROVEN["Poisson tail"]
    found = rare.solve(law, event, sampled=True, relative_error=0.02, seed=4)
    assert found.kind == "exact" and found.sampled is not None and found.sampled.kind != "exact"
    assert abs(found.sampled.value - exact) <= Z * found.sampled.std_error
    assert "Sampled beside it" in found.summary() and found.to_dict()["sampled"]["value"] == found.sampled.value
    assert rare.solve(law, event).sampled is None and "sampled" not in rare.solve(law, event).to_dict()


def test_a_function_of_reals_is_sampled():
    assert rare.solve(N, lambda x: x > 4.0, seed=1).kind != "exact"


def test_the_same_bits_on_any_number_of_threads():
    law, f, _ = EXPLORED["bridge"]
    one, two = (rare.solve(law, f, relative_error=0.05, threads=threads, seed=5) for threads in (1, 2))
    assert one.to_json() == two.to_json()


def test_max_samples_bounds_everything():
    law, f, _ = EXPLORED["three modes"]
    found = rare.solve(law, f, max_samples=40_000, seed=1)
    assert sum(found.evaluations) <= 40_000 + 2 * 4096


def test_an_event_that_nothing_finds_is_an_upper_bound():
    found = rare.solve(P(4.0), rare.score(lambda x: 1.0 if x == 10 ** 9 else 0.0) >= 1.0, max_samples=50_000, seed=1)
    assert found.hits == 0 and found.verdict == "caution" and found.interval()[0] == 0.0 < found.interval()[1]
    assert "naive Monte Carlo" in found.how.lower() or "Naive" in found.how


@pytest.mark.parametrize(("options", "words"), [
    ({"relative_error": 0.0}, ("relative_error", "0.0")), ({"exact": 1}, ("exact", "1")),
    ({"certify": "yes"}, ("certify", "yes")), ({"sampled": 1}, ("sampled", "1")),
    ({"seed": -1}, ("seed", "-1")), ({"threads": 0}, ("threads", "0")),
])
def test_bad_arguments(options, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        rare.solve(P(4.0), rare.at_least(20), **options)
    for word in words:
        assert word in str(caught.value)
    with pytest.raises(ValueError, match="one value"):
        rare.solve(P(4.0), lambda x: (x > 3, x > 4))
    with pytest.raises(ValueError, match="probability is 0"):
        rare.solve(rare.Binomial(10, 0.5), rare.at_least(11))


# ------------------------------------------------------------------------------------------------ GBAS
def test_gbas_has_the_relative_error_that_it_says():
    """200 runs of k = 102: value / mu is (k - 1) / gamma(k); mean and spread within limits of false alarm 1e-6."""
    law, event, q = P(4.0), rare.at_least(20), rare.Poisson(20.0)
    exact = stats.poisson.sf(19, 4.0)
    bound = proposals.tilt(law, event).bound
    assert acceptances(0.1) == 102
    runs = np.array([gbas(law, event, q, bound, 102, seed).value / exact for seed in range(200)])
    assert abs(runs.mean() - 1.0) <= 4.9 * 0.1 / math.sqrt(200)
    assert stats.chi2.ppf(5e-7, 199) * 0.8 <= 199 * runs.var(ddof=1) / 0.01 <= stats.chi2.ppf(1 - 5e-7, 199) * 1.25
    covered = sum(low < exact < high for low, high in
                  (gbas(law, event, q, bound, 102, seed).interval(0.95) for seed in range(200)))
    assert stats.binom.ppf(1e-6, 200, 0.95) <= covered


# ------------------------------------------------------------------------------------------------ the audit
def shifted(by, d):
    return rare.Independent([rare.Normal(by if i == 0 else 0.0, 1.0) for i in range(d)])


@pytest.mark.slow
@pytest.mark.parametrize("d", [2, 20])
def test_an_audit_tells_traps_from_good_proposals(d, replicates):
    """Twenty seeds each with --slow: the study saw 1,900 of 1,900 good runs pass, and none of 2,400 traps."""
    if d == 20 and not replicates(True, False):
        pytest.skip("one dimension suffices unless --slow is given")
    law, both = rare.IID(N, d), rare.score(lambda x: abs(x[0])) >= 4.0
    other = rare.score(lambda x: max(x[0] - 4.0, x[1] - 4.0)) >= 0.0
    one = rare.score(lambda x: x[0]) >= 4.0
    mixed = rare.Mixture([shifted(4.0, d), shifted(-4.0, d)], [0.5, 0.5])
    cases = ((both, shifted(4.0, d), "failed"), (both, mixed, "passed"), (other, shifted(4.0, d), "failed"),
             (one, shifted(4.0, d), "passed"))
    for f, q, status in cases[:replicates(4, 2)]:
        for seed in range(replicates(20, 3)):
            e = rare.estimate(law, f, proposal=q, samples=10_000, seed=seed, audit=False)
            found = explore(law, f, q, e.value, e.relative_error, 10_000, draws=budget(10_000), seed=seed)
            assert found.status == status, (f, q, seed, found)


def test_the_audit_enters_the_verdict():
    law, both = rare.IID(N, 2), rare.score(lambda x: abs(x[0])) >= 4.0
    one_sided = rare.estimate(law, both, proposal=shifted(4.0, 2), samples=10_000, seed=1)
    assert one_sided.verdict == "not trusted" and "add a component" in one_sided.reason
    assert [check.status for check in one_sided.checks if check.name == "audit"] == ["failed"]
    assert one_sided.evaluations.audit > 5000
    told = rare.estimate(law, both, proposal=shifted(4.0, 2), samples=10_000, seed=1, audit=[shifted(-4.0, 2)])
    assert told.verdict == "not trusted" and told.value == one_sided.value
    limited = rare.estimate(law, both, proposal=shifted(4.0, 2), max_samples=30_000, seed=1)
    assert limited.evaluations.audit + limited.samples <= 30_000
