"""The weather of Seattle: fits, scores and tails against other ways to them, and what a run leaves behind."""
import math
import sys

import numpy as np
import pytest
from scipy import stats

import experiments.seattle as seattle
from rareevents import experiments

SMALL = seattle.Settings(samples=20_000)


def days_of(year, month, kind, windy=None):
    """A record of one's own."""
    year, month, kind = (np.array(column) for column in (year, month, kind))
    return seattle.Days(year, month, kind, kind, np.zeros(len(kind), bool) if windy is None else windy)


@pytest.fixture(scope="module")
def days():
    return seattle.record()


@pytest.fixture(scope="module")
def months(days):
    return {title: seattle.rare_month(question, days, seattle.Settings(), progress=False)
            for title, question in seattle.QUESTIONS.items()}


# ------------------------------------------------------------------------------------------------ exact
def test_record(days):
    assert len(days.year) == 1461 and set(days.year) == {2012, 2013, 2014, 2015}
    assert set(days.kind) == set(range(len(seattle.KINDS)))
    assert [int(days.sort("wet")[days.year == year].sum()) for year in (2012, 2013, 2014, 2015)] == [177, 152, 150, 144]


def test_labels_changed_their_meaning(days):
    rain = np.bincount(days.year[days.label == 2] - 2012, minlength=4)          # drizzle, fog, rain, snow, sun
    assert rain.tolist() == [191, 60, 3, 5]             # a version of the data that repairs this must change the text


def test_fits_are_laws_that_rule_nothing_out(days):
    for x in (days.kind, days.label):
        for counts in seattle.tables(x, days):
            law, (low, high) = seattle.add_half(counts), seattle.spread(counts, 0.95)
            np.testing.assert_allclose(law.sum(axis=-1), 1.0, rtol=1e-14)
            assert ((low >= 0.0) & (low < law) & (law < high) & (high <= 1.0)).all()
        for law in seattle.forecasts(x, days).values():
            np.testing.assert_allclose(law.sum(axis=-1), 1.0, rtol=1e-13)
            assert law.shape == (365, 5) and law.min() > 0.0


def test_spread_is_a_beta_quantile():
    low, high = seattle.spread(np.array([3.0, 1.0, 0.0]), 0.9)
    np.testing.assert_allclose(low, stats.beta.ppf(0.05, [3.5, 1.5, 0.5], [2.0, 4.0, 5.0]), rtol=1e-10)
    np.testing.assert_allclose(high, stats.beta.ppf(0.95, [3.5, 1.5, 0.5], [2.0, 4.0, 5.0]), rtol=1e-10)


TINY = days_of([2014] * 40 + [2015] * 4, [1] * 20 + [2] * 20 + [1, 1, 2, 2], [0] * 15 + [1] * 25 + [0, 1, 1, 0])


def test_apps_by_hand():
    bits = {name: found[0] for name, found in seattle.scored(TINY.kind, TINY, 0.95).items()}
    january, february = (15.5 / 21, 5.5 / 21), (0.5 / 21, 20.5 / 21)
    assert bits["climatology"] == pytest.approx(-sum(map(math.log2, [*january, *february])) / 4)
    assert bits["uniform"] == 1.0
    repeats = 38.5 / 40                                 # one change in 39 steps; 2015 is 1 -> 0, 0 -> 1, 1 -> 1, 1 -> 0
    assert bits["yesterday"] == pytest.approx(-(3 * math.log2(1 - repeats) + math.log2(repeats)) / 4)
    chain = {(0, 0): 14.5 / 16, (0, 1): 1.5 / 16, (1, 0): 0.5 / 25, (1, 1): 24.5 / 25}     # both months: one season
    steps = [(1, 0), (0, 1), (1, 1), (1, 0)]
    assert bits["Markov chain"] == pytest.approx(-sum(math.log2(chain[step]) for step in steps) / 4)
    right = [5, 25, 26, 3]                              # of the 30 days before each, those of the kind that came
    assert bits["last 30 days"] == pytest.approx(-sum(math.log2((days + 0.5) / 31) for days in right) / 4)


def test_apps_know_only_the_past(days):
    """Changing a day of the held-out year changes no forecast up to that day."""
    day = np.flatnonzero(~days.known)[200]
    other = days.kind.copy()
    other[day:] = (other[day:] + 1) % 5
    before, after = (seattle.forecasts(x, days) for x in (days.kind, other))
    for name in before:
        np.testing.assert_array_equal(before[name][:201], after[name][:201])
    assert (before["last 30 days"][201:] != after["last 30 days"][201:]).any()


def test_paired_is_students_interval_when_months_are_of_one_length():
    month, difference = np.repeat(np.arange(1, 13), 30), np.random.default_rng(1).normal(size=360)
    blocks = difference.reshape(12, 30).mean(axis=1)
    interval = stats.t.interval(0.95, 11, blocks.mean(), stats.sem(blocks))
    np.testing.assert_allclose(seattle.paired(difference, month, 0.95), (blocks.mean(), *interval), rtol=1e-12)


def test_tails():
    for n, k, p in ((31, 16, 0.1), (28, 28, 0.6), (31, 1, 0.003)):
        assert seattle.tail(p, n, k) == pytest.approx(stats.binom.sf(k - 1, n, p), rel=1e-9, abs=0.0)
        assert seattle.persistent_tail(p, 0.0, n, k) == pytest.approx(stats.binom.sf(k - 1, n, p), rel=1e-9, abs=0.0)
        assert seattle.persistent_tail(p, 1.0, n, k) == pytest.approx(p, rel=1e-9, abs=0.0)
        exact = stats.betabinom.pmf(np.arange(k, n + 1), n, 9.5, 84.5).sum()              # its sf is 1 - cdf
        assert seattle.predictive(9, 84, n, k) == pytest.approx(exact, rel=1e-9, abs=0.0)
    assert seattle.persistent_tail(0.3, 0.5, 2, 2) == pytest.approx(0.3 * (0.5 + 0.5 * 0.3), rel=1e-9, abs=0.0)


def test_memory_of_a_pattern():
    pairs = days_of([2012] * 400, [1] * 400, [0, 0, 1, 1] * 100)
    assert abs(seattle.memory(pairs.sort("wet"), pairs, pairs.known)) < 0.01
    swings = days_of([2012] * 400, [1] * 400, [0, 1] * 200)
    assert seattle.memory(swings.sort("wet"), swings, swings.known) == pytest.approx(-1.0, abs=0.01)


def test_runs_are_counted():
    wet = days_of([2012] * 40, [1] * 40, [1] * 10 + [0] + [1] * 4 + [0] * 24 + [1])
    assert {length: seen for length, (seen, _, _) in seattle.runs(wet).items()} == {1: 3, 4: 2, 7: 1, 10: 1}


# ------------------------------------------------------------------------------------------------ statistical
@pytest.mark.parametrize("title", seattle.QUESTIONS)
def test_estimates_agree_with_the_binomial(months, title):
    """Fixed seed; 4.9 standard errors of the tilted estimate: false alarm 1e-6 each."""
    row = months[title]
    tilted, naive = row["found"]["tilted"], row["found"]["naive"]
    assert 1e-10 < row["exact"] < 1e-4
    assert abs(tilted.value - row["exact"]) < 4.9 * tilted.std_error < 0.02 * row["exact"]
    assert tilted.verdict == "trusted" and tilted.bound is not None
    low, high = naive.interval(1.0 - 1e-6)
    assert low <= row["exact"] <= high


def test_the_fit_and_the_model_matter_more_than_the_draws(months):
    for row in months.values():
        low, high = row["found"]["tilted"].interval()
        assert row["fit"][0] < row["exact"] < row["fit"][1] and row["fit"][1] - row["fit"][0] > 1000.0 * (high - low)
        assert row["exact"] < row["predictive"] < row["fit"][1]
        assert row["persistent"] > 100.0 * row["exact"]


def test_dispersion_of_independent_days_is_one():
    """Fixed seed; the chi-square interval at confidence 1 - 1e-6."""
    days = seattle.record()
    p = 0.2 + 0.05 * days.month
    found = seattle.dispersion(days_of(days.year, days.month, (np.random.default_rng(1).random(1461) < p).astype(int)),
                               1.0 - 1e-6)
    low, high = found["independent"]
    assert low < found["index"] < high
    assert abs(found["autocorrelation"]) < 4.9 / math.sqrt(1461)


# ------------------------------------------------------------------------------------------------ a run
def test_a_run_leaves_the_same_files_twice(tmp_path):
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        (folder / "plots").mkdir(parents=True)
        experiments.write(folder, SMALL, seattle.run(SMALL, progress=False), seconds=0.0)
    names = {path.relative_to(folders[0]).as_posix() for path in folders[0].rglob("*") if path.is_file()}
    pictures = {f"plots/{name}.{kind}" for name in ("climatology", "apps", "rare", "dispersion")
                for kind in ("svg", "png")}
    assert names == {"config.json", "result.json", "provenance.json", "plots/made_with.json"} | pictures
    for name in names - {"provenance.json"}:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "vega_datasets", None)
    with pytest.raises(RuntimeError, match=r"vega_datasets.*pip install \"rareevents\[data\]\""):
        seattle.record()


def test_bad_confidence_is_refused_first():
    with pytest.raises(ValueError, match="confidence"):
        seattle.run(seattle.Settings(confidence=1.0), progress=False)
