"""README.md: its examples run as they stand, and its commands and links are right."""
import json
import re
from pathlib import Path

import pytest
from scipy.special import zeta

from benchmarks import engine
from experiments import coverage

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
PYTHON = [text for language, text in BLOCKS if language == "python"]
COMMANDS = [text for language, text in BLOCKS if not language]
INSTALL = 'python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e ".[test]" && .venv/bin/'


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run blocks of README.md, one after the other, in an empty folder and return their names."""
    monkeypatch.chdir(tmp_path)

    def run(*blocks):
        names = {"__name__": "readme"}
        for block in blocks:
            exec(compile(block, "README.md", "exec"), names)
        return names
    return run


def test_first_example(run, capsys):
    assert len(PYTHON[0].splitlines()) == 12
    names = run(PYTHON[0])
    exact, tilted = 1.0200522106e-08, names["tilted"]
    assert abs(tilted.value - exact) < 5.0 * tilted.std_error < 0.05 * exact
    low, high = names["naive"].interval()
    assert low <= exact <= high
    assert capsys.readouterr().out.strip()


def test_the_proposal_that_designs_itself(run, capsys):
    names = run(PYTHON[0], PYTHON[1])
    assert names["best"].kind == "exact" and names["drawn"].kind == "certified"
    for found in (names["best"], names["drawn"]):
        assert abs(found.value - 1.0200522106e-08) <= 5.0 * found.std_error + 1e-17
    value = float(re.findall(r"^([\d.]+)\(\d+\)(e-05)", capsys.readouterr().out, re.M)[-1][0]) * 1e-5
    assert value == pytest.approx(7.668738732925712e-05, rel=0.05)


def test_paths(run, capsys):
    run(PYTHON[0], PYTHON[2])
    out = capsys.readouterr().out
    assert "1.960299" in out                                        # exact
    values = [float(f"{a}{b}") for a, b in re.findall(r"^([\d.]+)\(\d+\)(e-08)", out, re.M)][-2:]
    assert values == pytest.approx([1.960299e-08] * 2, rel=0.3)     # steered, and by splitting with an error of 5 %


def test_law_of_ones_own(run):
    words = run(PYTHON[3])["words"]
    exact = zeta(4.0, 100) / zeta(4.0)
    assert abs(words.value - exact) < 5.0 * words.std_error < 0.25 * exact


def test_story(run, capsys):
    names = run(PYTHON[0], PYTHON[4])
    assert names["info"].cost_of_proposal(names["p"], names["event"], names["q"]).bits < 2.7
    assert "1.22" in capsys.readouterr().out                        # H of that weather


def test_two_commands():
    assert [block.splitlines() for block in COMMANDS] == [
        [INSTALL + "rareevents run experiments/storms.py", INSTALL + "python -m pytest -q"]]


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links(target):
    assert (ROOT / target).exists()


def test_the_audit_page_has_the_rows_of_the_traps():
    """Per proposal: median, wrong, and the verdicts; and the sums over the good ones and over `solve`."""
    found = json.loads((ROOT / "results" / "traps" / "result.json").read_text(encoding="utf-8"))["rows"]
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    table = [line.split(" | ") for line in page.split("trusted and wrong |")[1].split("\n\n")[0].splitlines()[2:]]
    bad = [row for row in found if row["kind"] == "bad" and row["trap"] != "needle"]
    assert len(table) == len(bad) == 15
    for line, row in zip(table, bad, strict=True):
        median = f"{row['median']:.2f}" if row["median"] else "0"
        verdicts = row["verdicts"]
        assert [text.strip(" |") for text in line[-5:]] == [median, *map(str, (
            row["wrong"], verdicts["not trusted"], verdicts["caution"], row["trusted_and_wrong"]))], line
    for kind, words in (("good", "trusted in {} of {} runs: {} intervals missed"),
                        ("solve", "in all {1} runs: {2} intervals missed")):
        rows = [row for row in found if row["kind"] == kind and row["trap"] != "needle"]
        assert not any(row["far_off"] for row in rows)
        counts = [sum(row["verdicts"]["trusted"] for row in rows), sum(row["runs"] for row in rows),
                  sum(row["interval_misses"] for row in rows)]
        assert counts[0] == counts[1] and words.format(*counts) in page.replace("\n", " ")


def test_the_figures_are_those_of_the_benchmark():
    found = json.loads((ROOT / "results" / "benchmarks" / "engine.json").read_text(encoding="utf-8"))
    assert engine.table(found) in README


def test_the_coverages_are_those_of_the_experiment():
    found = json.loads((ROOT / "results" / "coverage" / "result.json").read_text(encoding="utf-8"))
    assert coverage.table(found) in README
    page, rows = README.replace("\n", " "), found["rows"]
    names = {row["configuration"] for row in rows}
    fresh = {row["configuration"] for row in rows if row["fresh"]}
    assert f"each of {len(names)} configurations {rows[0]['replicates']:,} times" in page
    assert f" {len(fresh)} of the configurations had no part" in page
    finite = [row for row in rows if row["finite_variance"]]
    long = min(row["coverage"] for row in finite if not row["stopped"] and row["n"] >= 1000)
    stopped = min(row["coverage"] for row in finite if row["stopped"])
    assert f"(the lowest: {100 * long:.1f} %)" in page and f"stopped runs at least 90 % ({100 * stopped:.1f} %)" in page
    few = [row for row in finite if row["n"] == 100]
    worst, wider = min(row["coverage"] for row in few), min(row["rivals"]["doubled"]["coverage"] for row in few)
    assert f"the lowest falls to {100 * worst:.1f} %" in page and f"would lift that to {100 * wider:.1f} %" in page
