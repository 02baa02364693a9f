"""docs/story.md runs as it stands, and the experiments behind its pictures show what it says."""
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from experiments import bridge, clipping, surprise

PAGE = Path(__file__).resolve().parents[1] / "docs" / "story.md"
TEXT = PAGE.read_text(encoding="utf-8")
Z = 4.9                                     # false alarm 1e-6


def test_the_page_runs():
    """Its blocks hold the assertions."""
    blocks, names = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S), {}
    assert len(blocks) == 10 and sum(block.count("assert") for block in blocks) >= 9
    for block in blocks:
        exec(compile(block, "story.md", "exec"), names)


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", TEXT))
def test_links(target):
    assert (PAGE.parent / target).is_file()


def test_every_picture_of_the_experiments_is_told_of():
    shown = set(re.findall(r"results/(\w+)/plots/(\w+)\.svg", TEXT))
    assert {("surprise", name) for name in surprise.CLAIMS} <= shown


@pytest.fixture(scope="module")
def story():
    return surprise.run(surprise.Settings(days=20_000), progress=False).numbers


def test_cities(story):
    assert [story["cities"][name]["entropy"] for name in "ABC"] == pytest.approx([0.0, math.log2(3), math.log2(7)])
    assert [story["cities"][name]["perplexity"] for name in "ABC"] == pytest.approx([1, 3, 7])


def test_axioms(story):
    found = story["axioms"]
    assert found["rain 30 %"] == pytest.approx(0.8812908992306927) and found["rain 33 %"] == pytest.approx(0.91492672)
    assert found["largest step on a path"] < 0.03                       # 200 steps; 0 log 0 has an infinite slope
    assert found["uniform"] == pytest.approx(np.log2(np.arange(2, 11)))
    assert all(best <= top for best, top in zip(found["best of 2000 others"], found["uniform"], strict=True))
    for name in ("independent", "dependent"):
        row = found[name]
        assert row["H(X,Y)"] == pytest.approx(row["H(X)"] + row["H(Y|X)"], rel=1e-14)
    assert found["independent"]["I(X;Y)"] == pytest.approx(0.0, abs=1e-15) and found["dependent"]["I(X;Y)"] > 0.3
    for name in ("Rényi", "Tsallis"):
        gaps = found[f"chain rule gap, {name}"]
        assert abs(gaps["1.0"]) < 1e-12 and all(abs(gap) > 1e-3 for order, gap in gaps.items() if order != "1.0")


def test_one_day(story):
    assert story["one_day"]["gravity still works"]["bits"] == 0.0
    assert story["one_day"]["Mercury moved the market"]["bits"] == math.inf
    assert story["one_day"]["ten heads in a row"]["bits"] == 10.0


def test_surprise_and_pain_settle_on_entropy_and_cross_entropy(story):
    found = story["expected_surprise"]
    assert abs(found["value"] - found["exact"]) <= Z * found["std_error"]
    rows = {name: row for name, row in story["wrong_app"].items() if name != "minimum"}
    for row in rows.values():
        assert abs(row["mean pain"] - row["cross_entropy"]) <= Z * row["std_error"]
    assert rows["sure of a storm"]["cross_entropy"] > 6.0 * rows["that knows the law"]["cross_entropy"]
    least = story["wrong_app"]["minimum"]
    assert least["found"] == pytest.approx(least["frequencies"], abs=1e-4)


def test_divergence(story):
    found = story["divergence"]
    assert found["KL(p||q)"] == pytest.approx(found["H(p,q) - H(p)"]) != pytest.approx(found["KL(q||p)"], rel=0.01)
    assert found["smallest"] == pytest.approx(0.0, abs=1e-15) and found["ruled out"] == math.inf
    whole = story["big_picture"]
    assert whole["entropy"] + whole["kl_divergence"] == pytest.approx(whole["cross_entropy"])


def test_bridge():
    """Draws taken are those predicted, and the tilt of least cross entropy is the minimum of the curve of bits."""
    settings = bridge.Settings(repeats=4, samples=20_000)
    rows = bridge.tilts(settings)
    for row in rows:
        # A run ends at a group of draws, each at most a sixteenth of what came before; the error is estimated with a
        # relative error of 0.07 at most (variance of variance 0.02), the draws with twice that, in each of 4 runs.
        assert 0.6 < row["took"] / row["draws"] < 1.6
        assert row["perplexity"] <= 1.0 + row["relative_variance"]              # Jensen: exp(KL) <= E_q[(q*/q)^2]
    best = bridge.optimum(settings)
    x = np.arange(20, 200)
    mass = stats.poisson.pmf(x, 4.0)
    assert best["rate"] == pytest.approx((x * mass).sum() / mass.sum(), rel=1e-12)
    assert all(row["bits"] > best["bits"] for row in rows)
    assert best["draws"] < 1.01 * min(row["draws"] for row in rows)
    for row in bridge.naive(settings):
        mu = row["mu"]
        assert row["bits"] == pytest.approx(row["minus_log2_mu"], rel=1e-12)
        hits = 200 * settings.samples / row["draws_per_hit"]
        assert abs(hits - 200 * settings.samples * mu) <= Z * math.sqrt(200 * settings.samples * mu) + 1.0


def test_clipping():
    settings = clipping.Settings(samples=20_000)
    event = clipping.rare_event(settings)
    for row in [*event, *clipping.mean_of_storms(settings)]:
        spread = max(row["std_error"], row["relative_spread"] * row["exact"])
        assert abs(row["sampled"] - row["mean"]) <= 6.0 * spread                # skewed; 37 rows of common draws
    whole, ppo = event[-1], next(row for row in event if row["e"] == settings.clip)
    assert whole["mean"] == pytest.approx(stats.poisson.sf(19, 4.0), rel=1e-9, abs=0.0)
    assert abs(whole["relative_bias"]) < 1e-12
    assert ppo["mean"] > 1e7 * whole["exact"] and ppo["mean"] > 100.0 * ppo["std_error"]
    rows = clipping.mean_of_storms(settings)
    bias, spread = ([abs(row[key]) for row in rows] for key in ("relative_bias", "relative_spread"))
    assert bias == sorted(bias, reverse=True) and spread == sorted(spread)
