"""Pictures: what they show, where they are drawn, the same bytes twice, and no series known by its colour alone."""
import matplotlib.colors
import numpy as np
import pytest

import rareevents as rare
from rareevents import plots

P, Q, EVENT, EXACT = rare.Poisson(4.0), rare.Poisson(20.0), rare.at_least(20), 1.0200522106e-08
X, TILTS = np.arange(40), np.linspace(12.0, 32.0, 21)
THEORY = 6.6 + (TILTS - 20.0) ** 2
RARITIES = np.array([1e-2, 1e-4, 1e-8])


@pytest.fixture(scope="module")
def found():
    """A question that naive Monte Carlo cannot answer at these draws, and one that it can."""
    laws = {"naive": None, "tilted": Q}
    return {"rare": rare.compare(P, EVENT, laws, samples=20_000, seed=1),
            "common": rare.compare(P, rare.at_least(8), {"naive": None, "tilted": rare.Poisson(8.0)}, samples=20_000)}


@pytest.fixture(scope="module")
def draw(found):
    """Every public picture by name: draw[name](ax)."""
    draws, log_weight = rare.weighted_samples(P, Q, 5000, seed=1)
    spent = {"naive": 1e4 / RARITIES, "tilted": np.array([1e5, 2e5, 4e5])}
    return {
        "running": lambda ax: plots.running(found["rare"].estimates, exact=EXACT, ax=ax),
        "ess": lambda ax: plots.ess(found["common"].estimates, ax=ax),
        "distributions": lambda ax: plots.distributions(P, Q, X >= 20, X, ax=ax),
        "log_weights": lambda ax: plots.log_weights(log_weight, draws >= 20, 2.0e-7, ax=ax),
        "tilt_curve": lambda ax: plots.tilt_curve(TILTS, THEORY, [(20.0, 6.5, 0.4), (24.0, 20.0, 30.0)], naive=1e8,
                                                  ax=ax),
        "rarity": lambda ax: plots.rarity(RARITIES, spent, {"naive": [(1e-2, 1.1e6)], "tilted": []}, ax=ax),
        "pareto_tail": lambda ax: plots.pareto_tail(found["common"].estimates, ax=ax),
        "frontier": lambda ax: plots.frontier({"naive": [(1e6, 0.3)], "tilted": [(1e5, 0.01), (1e4, 0.03)]}, ax=ax),
        "levels": lambda ax: plots.levels({"first": np.exp(P.log_prob(X)), "second": np.exp(Q.log_prob(X))},
                                          np.where(X >= 20, np.exp(P.log_prob(X)), 0.0), X, 19.5, ax=ax),
        "learning": lambda ax: plots.learning({name: [[(1e3, 5.0), (2e3, spent)] for spent in (1.0, 0.5)]
                                               for name in ("cross entropy", "PPO")}, ax=ax),
        "coverage": lambda ax: plots.coverage({"tuned": None, "one": plots.Covered(30, 20, 1000, rival=0.9),
                                               "two": plots.Covered(9, 300, 1000, rival=0.5)}, ax=ax),
        "verdict": lambda ax: plots.verdict(found["rare"]["naive"], ax=ax),
        "bars": lambda ax: plots.bars({name: [0.2, 0.8] for name in "pqrs"}, ["a", "b"], "share", "Shares", ax=ax),
    }


LEGENDS = ("running", "ess", "distributions", "log_weights", "tilt_curve", "rarity", "bars", "pareto_tail", "frontier",
           "learning", "coverage")
NAMES = (*LEGENDS, "levels", "verdict")                  # the last two say beside each line what it is


def legend(ax):
    """label -> the line or patch that it names."""
    handles, labels = ax.get_legend_handles_labels()
    return {label: getattr(handle, "lines", getattr(handle, "patches", [handle]))[0]
            for label, handle in zip(labels, handles, strict=True)}


def look(artist):
    """What tells a series from others besides its colour."""
    if hasattr(artist, "get_marker"):
        return artist.get_marker(), artist.get_linestyle(), str(artist._dash_pattern)     # dashes: no public way
    return "patch", artist.get_hatch()


# ------------------------------------------------------------------------------------------------ every picture
@pytest.mark.parametrize("name", NAMES)
def test_draws_on_given_axes_or_its_own(draw, name):
    _, given = plots.figure()
    assert draw[name](given) is given
    own = draw[name](None)
    assert own is not given and own.figure is not given.figure
    for ax in (given, own):
        assert ax.get_title("left") and (ax.get_ylabel() or name in ("coverage", "levels"))
        assert (ax.get_xlabel() or name == "bars") and len(ax.lines) + len(ax.patches) > 0
        assert (ax.get_legend() is not None) == (name in LEGENDS)


def test_the_axis_of_distributions_says_what_x_is():
    x = np.arange(30)
    ax = plots.distributions(rare.Poisson(4.0), rare.Poisson(20.0), x >= 20, x, label="storms in the month")
    assert ax.get_xlabel() == "storms in the month"


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bytes_twice(draw, name, tmp_path):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        for kind, data in plots.rendered(draw[name](None)).items():
            (tmp_path / folder / f"{name}.{kind}").write_bytes(data)
    for kind, start in (("svg", b"<?xml"), ("png", b"\x89PNG")):
        first, second = ((tmp_path / folder / f"{name}.{kind}").read_bytes() for folder in ("first", "second"))
        assert first == second and first.startswith(start)
        assert b"dc:date" not in first
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == [f"{name}.png", f"{name}.svg"]


@pytest.mark.parametrize("name", LEGENDS)
def test_no_two_series_differ_by_colour_alone(draw, name):
    looks = [look(artist) for artist in legend(draw[name](None)).values()]
    assert len(looks) >= 2 and len(set(looks)) == len(looks), looks


def test_many_series_differ(found):
    estimate, no_hit = found["common"]["tilted"], found["rare"]["naive"]
    for picture, given in ((plots.running, estimate), (plots.ess, estimate), (plots.running, no_hit)):
        looks = [look(artist) for artist in legend(picture({f"q{i}": given for i in range(10)})).values()]
        assert len(set(looks)) == len(looks) >= 10


# ------------------------------------------------------------------------------------------------ what they show
def test_running(found):
    estimates = found["common"].estimates
    shown = legend(plots.running(estimates, exact=0.0511))
    assert list(shown) == ["naive", "tilted", "exact 0.0511"]
    for name, estimate in estimates.items():
        n, value, *_ = np.array(estimate.history()).T
        assert np.array_equal(shown[name].get_data(), [n, value])
    assert [shown[name].get_color() for name in ("naive", "tilted")] == [plots.NAIVE, plots.SAMPLED]
    assert set(shown["exact 0.0511"].get_ydata()) == {0.0511}


def test_running_without_a_hit_shows_the_bound(found):
    naive = found["rare"]["naive"]
    assert naive.hits == 0
    ax = found["rare"].plot(exact=EXACT)
    shown = legend(ax)
    assert list(shown) == ["naive: no hit yet, upper bound", "tilted", "exact 1.02e-08"]
    n, bound = shown["naive: no hit yet, upper bound"].get_data()
    assert (n[-1], bound[-1]) == (naive.samples, naive.interval()[1])
    assert ax.get_ylim()[0] < EXACT < bound[-1] < ax.get_ylim()[1]
    assert "naive: no hit" in legend(plots.ess(found["rare"].estimates))


def test_running_without_a_hit_or_a_bound():
    blind = rare.estimate(P, lambda x: 1.0 * x * (x >= 60), proposal=rare.Poisson(5.0), samples=2000)
    assert blind.interval() == (0.0, np.inf)
    ax = blind.plot(exact=1e-9)
    assert list(legend(ax)) == ["estimate: no hit yet, no bound", "exact 1e-09"]
    assert plots.rendered(ax)["png"]


def test_running_of_negative_values():
    estimate = rare.estimate(rare.Normal(0.0, 1.0), lambda x: x - 1.0, samples=20_000)
    _, given = plots.figure()
    assert estimate.plot(ax=given, exact=-1.0) is given
    assert list(legend(given)) == ["estimate", "exact -1"]
    assert given.get_yscale() == "linear"
    assert given.get_ylim()[0] < estimate.interval()[0] and estimate.interval()[1] < given.get_ylim()[1]
    assert plots.rendered(given)["svg"]


def test_ess(found):
    estimates = found["common"].estimates
    shown = legend(plots.ess(estimates))
    assert list(shown) == ["naive", "tilted", "every draw counts"]
    for name, estimate in estimates.items():
        assert shown[name].get_ydata()[-1] == pytest.approx(estimate.effective_sample_size, rel=1e-12)
    n, size = shown["every draw counts"].get_data()
    assert np.array_equal(n, size) and n[-1] == 20_000


def test_distributions():
    shown = legend(plots.distributions(P, Q, X >= 20, X))
    assert list(shown) == ["the event", "nominal p", "proposal q", "ideal q*"]
    assert shown["nominal p"].get_ydata() == pytest.approx(np.exp(P.log_prob(X)), rel=1e-14, abs=0.0)
    assert shown["proposal q"].get_ydata() == pytest.approx(np.exp(Q.log_prob(X)), rel=1e-14, abs=0.0)
    at, ideal = shown["ideal q*"].get_data()
    assert at.min() == 20 and ideal.sum() == pytest.approx(1.0, rel=1e-14)
    assert ideal == pytest.approx(np.exp(P.log_prob(at)) / EXACT, rel=1e-9, abs=0.0)
    span = shown["the event"]
    assert span.get_x() < 20 <= 39 < span.get_x() + span.get_width()


def test_distributions_shades_every_part_of_the_event():
    ax = plots.distributions(P, Q, (X <= 2) | (X >= 20), X)
    assert [patch.get_x() for patch in ax.patches] == [-0.5, 19.5]
    assert list(legend(ax)).count("the event") == 1


def test_distributions_of_an_impossible_event():
    with pytest.raises(ValueError, match=r"inside must be true at an x.*Poisson\(rate=4.0\).*40 values"):
        plots.distributions(P, Q, X >= 40, X)


@pytest.mark.parametrize("q", [Q, rare.Poisson(400.0)], ids=["few weights", "many weights"])
def test_log_weights_counts_every_draw(q):
    draws, log_weight = rare.weighted_samples(P, q, 5000, seed=1)
    inside = draws >= np.median(draws)
    ax = plots.log_weights(log_weight, inside, bound=1e-3)
    shown = legend(ax)
    heights = [sum(patch.get_height() for patch in bars) for bars in ax.containers]
    assert heights == [np.sum(~inside), np.sum(inside)]
    assert list(shown["proven bound on the event"].get_xdata()) == pytest.approx([-3.0, -3.0], rel=1e-14)
    assert list(shown["weight 1: naive Monte Carlo"].get_xdata()) == [0.0, 0.0]
    assert "proven bound on the event" not in legend(plots.log_weights(log_weight, inside))
    assert "proven bound on the event" not in legend(plots.log_weights(log_weight, inside, bound=0.0))


def test_tilt_curve():
    ax = plots.tilt_curve(TILTS, THEORY, [(20.0, 6.5, 0.4), (24.0, 20.0, 30.0)], naive=1e8)
    shown = legend(ax)
    assert list(shown["best: 20, 6.6"].get_xdata()) == [20.0]
    assert list(shown["measured"].get_ydata()) == [6.5, 20.0]
    assert set(shown["naive: 1e+08"].get_ydata()) == {1e8}
    error = plots.yerror_of(np.array([6.5, 20.0]), np.array([0.4, 30.0]))
    assert np.all(np.array([6.5, 20.0]) - error[0] > 0.0) and list(error[1]) == [0.4, 30.0]


def test_rarity():
    theory = {"naive": 1e4 / RARITIES, "tilted": np.array([1e5, 2e5, 4e5])}
    ax = plots.rarity(RARITIES, theory, {"naive": [], "tilted": [(1e-2, 1.1e5), (1e-4, 2.1e5)]})
    shown = legend(ax)
    assert list(shown) == ["naive, theory", "tilted, theory", "tilted, measured"]
    assert np.array_equal(shown["naive, theory"].get_data(), [RARITIES, theory["naive"]])
    assert np.array_equal(shown["tilted, measured"].get_data(), [[1e-2, 1e-4], [1.1e5, 2.1e5]])
    assert ax.xaxis_inverted()                                        # rarer to the right


def test_bars():
    ax = plots.bars({"nominal p": [0.7, 0.3], "proposal q": [0.1, 0.9]}, ["Lull", "Gale"], "share", "Shares")
    assert [[bar.get_height() for bar in group] for group in ax.containers] == [[0.7, 0.3], [0.1, 0.9]]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Lull", "Gale"]
    left, right = ([bar.get_x() for bar in group] for group in ax.containers)
    assert np.subtract(right, left) == pytest.approx(ax.containers[0][0].get_width(), rel=1e-12)      # side by side


def test_pareto_tail(found):
    heavy = rare.estimate(rare.Exponential(1.0), lambda x: 1.0, rare.Exponential(3.0), samples=20_000)    # k = 2/3
    shown = legend(plots.pareto_tail({"heavy": heavy, "none": found["rare"]["naive"]}))
    k = next(check.figure for check in heavy.checks if check.name == "k-hat")
    assert list(shown) == [f"heavy: k-hat {k:.2f}", "none: no tail to see", "slope at k = 1/2"] and k > 0.5
    y, share = shown[f"heavy: k-hat {k:.2f}"].get_data()
    assert y[0] == max(y) and y[-1] >= 1.0 and share[-1] == 1.0 and np.all(np.diff(share) > 0.0)
    with pytest.raises(ValueError, match="estimates must be of one quantity and made of weighted draws, got 'exact'"):
        plots.pareto_tail({"exact": rare.solve(P, EVENT)})


def test_frontier():
    ax = plots.frontier({"naive": [(1e6, 0.3)], "tilted": [(1e5, 0.01), (1e4, 0.03)]}, "seconds")
    shown = legend(ax)
    assert ax.get_xlabel() == "seconds" and np.array_equal(shown["tilted"].get_data(), [[1e4, 1e5], [0.03, 0.01]])
    x, error = shown["equal R² times seconds, ten times apart"].get_data()
    assert error[0] ** 2 * x[0] == pytest.approx(error[1] ** 2 * x[1], rel=1e-12)
    for points in ({}, {"a": [(0.0, 0.1)]}, {"a": [(1.0, np.inf)]}):
        with pytest.raises(ValueError, match="points must hold pairs"):
            plots.frontier(points)


def test_levels():
    ax = plots.levels({"first": np.exp(P.log_prob(X)), "second": np.exp(Q.log_prob(X))}, np.exp(Q.log_prob(X)), X, 19.5)
    assert [text.get_text() for text in ax.texts] == ["first", "second", "q*, the ideal proposal"]
    assert [line.get_ydata().max() for line in ax.lines[:3]] == pytest.approx([0.9, 1.9, 2.9])
    assert set(ax.lines[3].get_xdata()) == {19.5}


def test_learning():
    ax = plots.learning({"PPO": [[(1e3, 5.0), (2e3, 1.0)], [(1e3, 6.0), (2e3, 3.0)], [(1e3, 9.0), (2e3, 2.0)]],
                         "unknown": [[(1e3, None)]]}, most=8.0)
    shown = legend(ax)
    assert list(shown) == ["PPO"] and list(shown["PPO"].get_ydata()) == [6.0, 2.0]
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (1.0, 8.0)


def test_coverage():
    ax = plots.coverage({"tuned": None, "one": plots.Covered(30, 20, 1000, rival=0.9), "two": plots.Covered(0, 0, 0)})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["tuned", "one", "two"]
    drawn = [list(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) and line.get_marker() != "None"]
    assert [points[0] for points in drawn] == pytest.approx([94.0, 96.0, 90.0, 95.0])


def test_verdict(found):
    naive = found["rare"]["naive"]
    ax = plots.verdict(naive)
    assert ax.get_title("left").startswith(f"{naive.verdict}: ") and naive.reason[:30] in ax.get_title("left")
    marks = [line for line in ax.lines if line.get_marker() not in ("None", "")]
    assert len(marks) == len(naive.checks)
    for mark, check in zip(marks, naive.checks, strict=True):
        assert (mark.get_xdata()[0] > 1.0) == (check.status == "failed"), check
    with pytest.raises(ValueError, match="estimate must be of one quantity and have checks"):
        plots.verdict(rare.solve(P, EVENT))


def test_colours_of_lines_stand_out_on_white():
    """A contrast of at least 3:1 (Web Content Accessibility Guidelines 2.1, criterion 1.4.11)."""
    for colour in (plots.NAIVE, plots.SAMPLED, plots.IDEAL, plots.OTHER, plots.EXACT):
        rgb = np.array(matplotlib.colors.to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        assert 1.05 / (0.05 + linear @ [0.2126, 0.7152, 0.0722]) >= 3.0, colour
