"""Relations of merges, runs, checks and intervals: nothing here depends on chance, and nothing is compiled but blocks.

Merging keeps counts and extremes exactly. Sums are compensated, and wrong by some 1e-16 of what was added; a centred
power sum of order k is wrong by 1e-12 of (m2 + n (1e-11 mean |y|)^2)^(k/2), where the second part is the rounding of
the terms themselves (`scale`).
"""
import math
import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rareevents as rare
from rareevents import engine
from rareevents.checks import order_checks, own_checks
from rareevents.engine import Stop, run, schedule
from rareevents.intervals import betting, clopper_pearson, fay_feuer, hall, rule, student_t, zero_hits
from rareevents.kernels import sums
from rareevents.moments import Moments

KINDS = st.sampled_from(["indicator", "positive", "signed", "offset", "tiny", "heavy"])
SEEDS = st.integers(0, 2 ** 32)
REL = 1e-11


def drawn(kind, n, seed):
    """y[quantity, draw] and log weights: the second quantity has the first one's terms, turned round."""
    rng = np.random.default_rng(seed)
    y = {"indicator": lambda: (rng.random(n) < 0.1) * 1.0, "positive": lambda: rng.exponential(size=n),
         "signed": lambda: rng.normal(0.2, 1.0, n), "offset": lambda: rng.normal(1e4, 1.0, n),
         "tiny": lambda: 1e-60 * rng.exponential(size=n), "heavy": lambda: rng.pareto(1.5, n)}[kind]()
    return np.stack([y, y[::-1]]), np.zeros(n) if kind in ("offset", "tiny") else rng.normal(-0.5, 0.7, n)


def moments(y, w, edges):
    """Blocks between the edges, merged in order."""
    total = Moments.empty(len(y))
    for a, b in zip(edges, edges[1:], strict=False):
        part, status = Moments.of_block(w[a:b].copy(), y[:, a:b].copy())
        assert status == sums.OK
        total = total.merge(part)
    return total


def whole(y, w):
    return moments(y, w, range(0, y.shape[1] + 512, 512))


def same(a, b):
    """Two ways to the same statistics."""
    assert a.draws == b.draws and np.array_equal(a.counts, b.counts) and a.quantities == b.quantities
    assert np.array_equal(np.sort(a.largest), np.sort(b.largest)) and np.array_equal(a.terms[:, 6], b.terms[:, 6])
    assert np.allclose(a.weights[0] + a.weights[1], b.weights[0] + b.weights[1], rtol=1e-14)
    assert np.allclose(a.weights[2:], b.weights[2:], rtol=1e-13, atol=0.0)
    for k in range(a.quantities):
        s, t = a.of(k), b.of(k)
        assert abs(s.total - t.total) <= 1e-14 * s.absolute and abs(s.absolute - t.absolute) <= 1e-13 * s.absolute
        scale = s.m2 + s.draws * (1e-11 * s.absolute / max(1, s.draws)) ** 2
        for order, x, z in ((2, s.m2, t.m2), (3, s.m3, t.m3), (4, s.m4, t.m4)):
            assert abs(x - z) <= REL * scale ** (order / 2), order
    return True


# ---------------------------------------------------------------------------------------------------------------- merge
@settings(max_examples=60)
@given(kind=KINDS, seed=SEEDS, n=st.integers(1, 2500), cuts=st.lists(st.integers(0, 2500), max_size=8))
@example(kind="signed", seed=0, n=1, cuts=[])
@example(kind="offset", seed=1, n=2, cuts=[1])
def test_merge_is_associative(kind, seed, n, cuts):
    """In any tree, with empty parts and parts of one draw; and against math.fsum."""
    y, w = drawn(kind, n, seed)
    edges = [0, 0, min(1, n), *sorted(min(c, n) for c in cuts), n]
    edges.sort()
    parts = [moments(y, w, (a, b)) for a, b in zip(edges, edges[1:], strict=False)]
    choose = random.Random(seed)
    while len(parts) > 1:
        i = choose.randrange(len(parts) - 1)
        parts[i:i + 2] = [parts[i].merge(parts[i + 1])]
    assert same(parts[0], whole(y, w))
    v, found = np.exp(w), parts[0].weights
    assert np.allclose([found[0] + found[1], *found[2:]], [math.fsum(v), math.fsum(v * v), v.max()], rtol=1e-13)
    for k, t in enumerate(y * v):
        terms, mean = parts[0].of(k), math.fsum(t) / n
        assert (terms.hits, terms.negative) == (np.count_nonzero(t), np.count_nonzero(t < 0.0))
        assert np.allclose(terms.largest, -np.sort(-abs(t[t != 0.0]))[:sums.KEPT], rtol=1e-14)
        size = math.fsum(abs(t))
        assert abs(terms.total - math.fsum(t)) <= 1e-14 * size and abs(terms.absolute - size) <= 1e-13 * size
        scale = terms.m2 + n * (1e-11 * terms.absolute / n) ** 2
        for order, found in ((2, terms.m2), (3, terms.m3), (4, terms.m4)):
            assert abs(found - math.fsum((t - mean) ** order)) <= REL * scale ** (order / 2)


@settings(max_examples=40)
@given(kind=KINDS, seed=SEEDS, n=st.integers(1, 2000), m=st.integers(1, 2000))
def test_merge_is_commutative_but_for_rounding(kind, seed, n, m):
    """And so it does not matter which of two parts is the longer one."""
    (y, w), (z, v) = drawn(kind, n, seed), drawn(kind, m, seed + 1)
    a, b = whole(y, w), whole(z, v)
    assert same(a.merge(b), b.merge(a))
    assert same(a.merge(b), whole(np.concatenate([y, z], axis=1), np.concatenate([w, v])))


@settings(max_examples=25)
@given(kind=KINDS, seed=SEEDS, n=st.integers(1, 1500))
def test_no_draws_are_the_identity_of_merge(kind, seed, n):
    a = whole(*drawn(kind, n, seed))
    none = Moments.empty(2)
    for b in (a.merge(none), none.merge(a), none.merge(a).merge(none)):
        assert b.draws == n and np.array_equal(b.counts, a.counts)
        assert np.array_equal(b.terms[:, 2:], a.terms[:, 2:]) and np.array_equal(b.weights[2:], a.weights[2:])
        assert np.array_equal(np.sort(b.largest), np.sort(a.largest))
        assert [b.of(k)[:4] for k in range(2)] == [a.of(k)[:4] for k in range(2)]


@settings(max_examples=25)
@given(shift=st.floats(-150.0, 150.0), seed=SEEDS, n=st.integers(2, 1500))
def test_weights_times_a_constant(shift, seed, n):
    """p is known up to a constant: means and errors are multiplied by it, and what has no unit stays.

    The exponential of a log weight of up to 150 is known to 150 u = 2e-14, each: 1e-12 leaves room.
    """
    y, w = drawn("signed", n, seed)
    one, many = whole(y, w), whole(y, w + shift)
    c = math.exp(shift)
    assert math.isclose(one.weight_ess, many.weight_ess, rel_tol=1e-12)
    s, t = one.of(0), many.of(0)
    assert abs(t.mean - c * s.mean) <= 1e-12 * c * s.absolute / n and (s.hits, s.negative) == (t.hits, t.negative)
    assert math.isclose(t.std_error, c * s.std_error, rel_tol=1e-12)
    assert math.isclose(s.variance_of_variance, t.variance_of_variance, rel_tol=1e-10, abs_tol=1e-12)
    assert np.allclose(t.largest, c * s.largest, rtol=1e-12)


# ----------------------------------------------------------------------------------------------------------------- runs
def sliced(kind, n, seed):
    """A chunk function that hands out one fixed array piece by piece, whatever the schedule is."""
    y, w = drawn(kind, n, seed)

    def chunk_of(largest):
        begins, at = {}, 0
        for identity, size, _ in schedule(n, largest):
            begins[identity] = at
            at += size

        def chunk(identity, size, floor):
            a = begins[identity]
            edges = [*range(a, a + size, 512), a + size]
            return moments(y, w, edges)
        return chunk
    return chunk_of, y, w


@settings(max_examples=12)
@given(kind=KINDS, n=st.integers(1, 30_000), largest=st.integers(100, 9000), seed=SEEDS)
def test_the_size_of_chunks_does_not_matter(kind, n, largest, seed):
    chunk_of, y, w = sliced(kind, n, seed)
    found = run(chunk_of(largest), 2, Stop(samples=n), largest=largest, threads=1)
    assert same(found.total, whole(y, w)) and found.stopped_by == "samples"
    merged, sizes, before, group = Moments.empty(2), [], 0, 0
    for part in found.groups:
        merged = merged.merge(part)
    assert same(merged, found.total)
    for _, size, _ in schedule(n, largest):           # a group is closed as soon as it is a sixteenth of those before
        group += size
        if 16 * group >= before:
            sizes.append(group)
            before, group = before + group, 0
    assert [part.draws for part in found.groups] == sizes + [group] * (group > 0)


@settings(max_examples=10)
@given(threads=st.integers(2, 5), seed=SEEDS, n=st.integers(1, 40_000), rate=st.floats(5.0, 20.0))
def test_threads_and_the_order_of_visits_do_not_matter(threads, seed, n, rate):
    """To the bit: several threads; and chunks that are visited last to first."""
    question = (rare.Poisson(4.0), rare.at_least(12), rare.Poisson(rate))
    made = [rare.estimate(*question, samples=n, seed=seed, audit=False, threads=t) for t in (1, threads)]
    with pytest.MonkeyPatch.context() as patch:
        def backwards(chunk, plan, threads, in_caller):
            plan = list(plan)
            done = {i: (chunk(i, size), full) for i, size, full in reversed(plan)}
            return (done[i] for i, *_ in plan)
        patch.setattr(engine, "_in_order", backwards)
        made.append(rare.estimate(*question, samples=n, seed=seed, audit=False, threads=1))
    assert len({found.to_json() for found in made}) == 1
    assert len({b"".join(g.terms.tobytes() + g.weights.tobytes() for g in found._groups) for found in made}) == 1


@settings(max_examples=8)
@given(seed=SEEDS, n=st.integers(1, 30_000), rate=st.floats(8.0, 16.0))
def test_twice_the_draws_begin_with_the_same_draws(seed, n, rate):
    """An extension to 2 n is the run of 2 n, to the bit; what was seen of whole chunks stays as it was."""
    question = (rare.Poisson(4.0), rare.at_least(12), rare.Poisson(rate))
    short = rare.estimate(*question, samples=n, seed=seed, audit=False, threads=1)
    long = rare.estimate(*question, samples=2 * n, seed=seed, audit=False, threads=1)
    longer = short.extend(samples=2 * n, threads=1)
    assert (longer.value, longer.std_error, longer.interval()) == (long.value, long.std_error, long.interval())
    assert [g.terms.tobytes() for g in longer._groups] == [g.terms.tobytes() for g in long._groups]
    assert longer.extended == (n,) and long.hits >= short.hits
    assert long.history()[-1][:2] == (2 * n, long.value)
    seen = [row for row in short.history() if row[0] in {size for size, *_ in long.history()}]
    assert seen == [row for row in long.history() if row[0] in {size for size, *_ in seen}]


@settings(max_examples=8)
@given(seed=SEEDS, aims=st.lists(st.floats(0.02, 0.2), min_size=2, max_size=2))
def test_a_smaller_error_takes_a_longer_run(seed, aims):
    """And a run stops at the first chunk at which it may: with one chunk less the error was not reached."""
    question = (rare.Poisson(4.0), rare.at_least(12), rare.Poisson(12.0))
    loose, tight = (rare.estimate(*question, relative_error=aim, seed=seed, audit=False, threads=1)
                    for aim in sorted(aims, reverse=True))
    assert tight.samples >= loose.samples and tight.relative_error <= min(aims)
    assert tight.hits >= 100 and tight.samples >= 1000
    sizes = np.cumsum([size for _, size, _ in schedule(tight.samples)])
    assert sizes[-1] == tight.samples and loose.samples in sizes
    before = rare.estimate(*question, samples=int(sizes[-2]), seed=seed, audit=False, threads=1)._terms
    assert not engine.settled(before, min(aims))


# ---------------------------------------------------------------------------------------------------- checks, intervals
def parts_of(kind, seed, count=32, size=128):
    y, w = drawn(kind, count * size, seed)
    groups = [moments(y, w, (a, a + size)) for a in range(0, count * size, size)]
    return whole(y, w).of(0), [g.of(0) for g in groups]


@settings(max_examples=25)
@given(kind=st.sampled_from(["positive", "signed", "heavy"]), seed=SEEDS, step=st.floats(-2.0, 2.0))
def test_a_run_seen_backwards_has_the_same_checks(kind, seed, step):
    """A trend changes its sign only, and parts are as unlike as before; figures to 1e-6, for they are differences.

    Groups of less than a sixteenth of the draws are put together first.
    """
    terms, groups = parts_of(kind, seed)
    there, back = order_checks(terms, groups, 0), order_checks(terms, groups[::-1], 0)
    for a, b in zip(there, back, strict=True):
        assert a.status == b.status and a.figure is not None and math.isclose(a.figure, b.figure, rel_tol=1e-6)
    pairs = parts_of(kind, seed, size=256, count=16)[1]
    assert [c.figure for c in order_checks(terms, pairs, 0)] == [pytest.approx(c.figure, rel=1e-6) for c in there]
    lifted = [g._replace(mean=g.mean + step * i * terms.std_error / 4.0) for i, g in enumerate(groups)]
    scaled = [g._replace(mean=4.0 * g.mean) for g in groups]
    again = order_checks(terms._replace(mean=4.0 * terms.mean, m2=16.0 * terms.m2), scaled, 0)
    assert [c.figure for c in again] == [pytest.approx(c.figure, rel=1e-9) for c in there]
    down = [g._replace(mean=2.0 * terms.mean - g.mean) for g in lifted]
    assert order_checks(terms, lifted, 0)[1].figure == pytest.approx(order_checks(terms, down, 0)[1].figure, rel=1e-6)


@settings(max_examples=25)
@given(kind=KINDS, seed=SEEDS, n=st.integers(200, 3000))
def test_draws_that_miss_make_an_event_rarer_and_no_check_better(kind, seed, n):
    """As many misses again: half the mean, as many hits, and sizes that do not count misses stay as they are."""
    y, w = drawn(kind, n, seed)
    misses = whole(np.zeros_like(y), w)
    one, two = whole(y, w).of(0), whole(y, w).merge(misses).of(0)
    assert two.mean == pytest.approx(0.5 * one.mean, rel=1e-12) and two.hits == one.hits
    assert two.squares == pytest.approx(one.squares, rel=1e-12) and two.absolute == one.absolute
    assert two.relative_error >= one.relative_error * (1.0 - 1e-12)
    figures = [{c.name: c.figure for c in own_checks(t, 0, None)} for t in (one, two)]
    for name in ("hits", "largest term", "k-hat"):
        assert figures[0][name] == (None if figures[1][name] is None else pytest.approx(figures[1][name], rel=1e-12))


@settings(max_examples=40)
@given(hits=st.integers(0, 400), more=st.integers(0, 400), confidence=st.floats(0.5, 0.999), seed=SEEDS)
def test_intervals_of_a_complement_are_mirrored(hits, more, confidence, seed):
    """P(not A) = 1 - P(A): the exact interval and the symmetric ones turn round; and -f has minus the interval of f."""
    n = hits + more + 1
    low, high, _ = clopper_pearson(hits, n, confidence)
    mirrored = clopper_pearson(n - hits, n, confidence)
    assert mirrored.low == pytest.approx(1.0 - high, abs=1e-12) and mirrored.high == pytest.approx(1.0 - low, abs=1e-12)
    if hits == 0:                                     # ln(2 / alpha) B / n is no shorter than the exact limit
        assert high <= zero_hits(n, 1.0, confidence).high
    y, w = drawn("signed", 300, seed)
    there, back = whole(y, w).of(0), whole(-y, w).of(0)
    for interval in (student_t, hall):
        a, b = interval(there, confidence), interval(back, confidence)
        assert (a.low, a.high) == pytest.approx((-b.high, -b.low), rel=1e-9, abs=1e-12)


@settings(max_examples=15)
@given(power=st.integers(-40, 40), confidence=st.floats(0.6, 0.99), wider=st.floats(1.1, 4.0), seed=SEEDS)
def test_intervals_have_the_unit_of_the_terms(power, confidence, wider, seed):
    """Times a constant with it, wider with a larger bound and with more confidence, and around the mean."""
    c, (y, w) = 2.0 ** power, drawn("positive", 1024, seed)
    groups, scaled = ([moments(k * y, w, (a, a + 256)).of(0) for a in range(0, 1024, 256)] for k in (1.0, c))
    terms, many = whole(y, w).of(0), whole(c * y, w).of(0)
    bound = float(terms.largest[0])
    for method in (lambda t, g, b, level: betting(g, b, level), lambda t, g, b, level: fay_feuer(t, level, b),
                   lambda t, g, b, level: rule(t, level, b)):
        low, high, name = method(terms, groups, bound, confidence)
        assert low <= terms.mean <= high
        assert method(many, scaled, c * bound, confidence) == (pytest.approx(c * low, rel=1e-7),
                                                               pytest.approx(c * high, rel=1e-7), name)
        less, most, _ = method(terms, groups, wider * bound, 0.5 * (1.0 + confidence))
        assert less <= low and high <= most and most - less > high - low
