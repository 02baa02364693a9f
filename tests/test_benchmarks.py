"""The benchmarks: their exact values, what they compare, and that the pages say their figures."""
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import rareevents as rare
from benchmarks import figures, peers_report
from benchmarks.questions import EXACT, asked, month
from benchmarks.tools import numpy_scipy, ours

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
RECORDS = {name: json.loads((figures.RESULTS / f"{name}.json").read_text(encoding="utf-8"))
           for name in ("limits", "peers")}


def test_exact_values():
    for name, exact in EXACT.items():
        nominal, event, _ = ours.question(name)
        if name != "compound Poisson-lognormal":
            assert rare.oracle.value(nominal, event) == pytest.approx(exact, rel=1e-9), name
    for problem in asked():
        assert rare.oracle.value(*ours.named(problem)) == pytest.approx(problem.exact, rel=1e-9), problem
    assert month(20) == pytest.approx(1.960299e-08, rel=1e-6)


def test_the_compound_sum_is_exact():
    nominal, f, _ = ours.question("compound Poisson-lognormal")
    found = rare.estimate(nominal, f, samples=300_000, seed=5, audit=False)
    assert abs(found.value - EXACT["compound Poisson-lognormal"]) <= 4.9 * found.std_error       # false alarm 1e-6
    assert found.relative_error < 0.005


@pytest.mark.parametrize("table", ["IDIOMATIC", "TUNED"])
def test_numpy_answers_the_same_questions(table, monkeypatch):
    """Twenty estimates of 5,000 draws by Student's t: false alarm 1e-6 each, at |t| = 7.0 with 19 degrees."""
    monkeypatch.setattr(numpy_scipy, "RNG", np.random.default_rng(7))
    for name, (estimate, _) in getattr(numpy_scipy, table).items():
        values = [estimate(5000) for _ in range(20)]
        error = np.std(values, ddof=1) / math.sqrt(len(values))
        assert abs(np.mean(values) - EXACT[name]) <= 7.0 * error, name
        assert error < 0.2 * EXACT[name], name


def test_tilts_by_hand(monkeypatch):
    monkeypatch.setattr(numpy_scipy, "TILTED", 200_000)
    for problem in asked():
        values = [numpy_scipy.by_hand(problem, seed).value for seed in range(20)]
        error = np.std(values, ddof=1) / math.sqrt(len(values))
        assert abs(np.mean(values) - problem.exact) <= 7.0 * error < problem.exact, problem       # t, as above


def test_what_moved_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    figures.keep("some", {"a": {"ns": 2.0, "fine": 1.0}, "list": [1.0, 5.0]}, 1.0)
    assert capsys.readouterr().out == ""
    figures.keep("some", {"a": {"ns": 3.0, "fine": 1.1}, "list": [1.0, 4.0]}, 1.0)
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["moved: a, ns is 1.50 times what it was (2, now 3)",
                     "moved: list, 1 is 0.80 times what it was (5, now 4)"]
    assert json.loads((tmp_path / "some.json").read_text(encoding="utf-8"))["a"]["ns"] == 3.0


def test_readme_says_the_figures():
    assert peers_report.paragraph(RECORDS["peers"]) in README


def test_the_page_says_the_figures_of_paths():
    paths = json.loads((figures.RESULTS / "paths.json").read_text(encoding="utf-8"))
    day, population = paths["ns_per_day"], paths["microseconds_per_population"]
    said = (f"a day of the month takes {day['rareevents']:.1f} ns (asked: {day['target']:g}), {day['ratio']:.1f} times "
            f"less than in NumPy (asked: {day['target_ratio']:g}), and a population of adaptive splitting "
            f"{population['ratio']:.0f} times less (asked: {population['target_ratio']:g})")
    assert said in " ".join(PAGE.split())


@pytest.mark.parametrize("name", ["per_draw_table", "designed_table", "refusals", "limits_table"])
def test_the_page_says_the_figures(name):
    made = getattr(peers_report, name)(RECORDS["limits" if name == "limits_table" else "peers"])
    assert made in PAGE


def test_every_script_is_on_the_page():
    scripts = {path.name for path in (ROOT / "benchmarks").glob("*.py") if "tyro.cli(" in path.read_text("utf-8")}
    assert scripts == set(re.findall(r"^\| `(\w+\.py)` \|", PAGE, re.M))
