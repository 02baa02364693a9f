"""CONTRIBUTING.md: each skeleton runs as its first file would, and holds to what every sibling of it must."""
import ast
import doctest
import importlib.util
import json
import math
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from test_designs import check_design
from test_layers import PACKAGE, violations

import rareevents as rare
from rareevents import plots
from rareevents.testing import check_distribution

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## A new (\w+)\n(.*?)(?=^## )", PAGE, re.M | re.S))
CODE = {name: re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S) for name, text in SECTIONS.items()}
PUBLIC = {                    # where the skeleton would be, and what its package would give away
    "law": ("distributions/logistic.py", "Logistic"), "process": ("processes/branching.py", "Branching"),
    "proposal": ("proposals/moved.py", "moved"), "method": ("methods/normalised.py", "normalised"),
    "problem": ("problems/lives.py", "lives"), "plot": ("plots/spread.py", "spread"),
}
Z = 4.9                       # |z| above this: false alarm 1e-6 for each estimate


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What each skeleton defines, imported from a file under the name that it would have in the package."""
    found = {}
    for kind, (file, name) in PUBLIC.items():
        path = tmp_path_factory.mktemp(kind) / Path(file).name
        path.write_text(CODE[kind][0], encoding="utf-8")
        module = "rareevents." + file.removesuffix(".py").replace("/", ".")
        spec = importlib.util.spec_from_file_location(module, path)
        sys.modules[module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[module])
        found[kind] = getattr(sys.modules[module], name)
    yield found
    for thing in found.values():
        del sys.modules[thing.__module__]


def test_each_kind_has_a_skeleton_and_at_most_three_files():
    assert set(SECTIONS) == {*PUBLIC, "experiment"} and len(SECTIONS) == 7
    for name, text in SECTIONS.items():
        files = re.findall(r"^(\d)\. .*?`(\w+/[\w/.]+)`", text, re.M)
        assert [int(number) for number, _ in files] in ([1, 2], [1, 2, 3]), name
        assert all((ROOT / path).exists() or "NAME" in path for _, path in files), name
        assert len(CODE[name]) == 1


def test_what_a_package_imports_is_public_and_in_the_reference(made, monkeypatch):
    for name in ("Logistic", "Branching"):
        assert not hasattr(rare, name)
    homes = (("law", rare.distributions), ("process", rare.processes), ("proposal", rare.proposals), ("plot", plots))
    for kind, package in homes:
        monkeypatch.setattr(package, PUBLIC[kind][1], made[kind], raising=False)
    for kind, name in (("law", "Logistic"), ("process", "Branching")):
        assert getattr(rare, name) is made[kind]
        monkeypatch.delattr(rare, name)                      # which has kept it
    page = runpy.run_path(str(ROOT / "docs" / "conf.py"))["reference"]()
    assert {"Logistic", "Branching", "moved", "plots.spread"} <= set(page.split())


@pytest.mark.parametrize("kind", PUBLIC)
def test_style(made, kind):
    """What holds for every file: the layers, a docstring for what is public, types, lines that fit, a right example."""
    file, _ = PUBLIC[kind]
    text = CODE[kind][0]
    assert not violations(PACKAGE / file, text) and max(map(len, text.splitlines())) <= 120
    assert ast.get_docstring(ast.parse(text)) and made[kind].__doc__
    runner = doctest.DocTestRunner()
    for example in doctest.DocTestFinder().find(made[kind], globs=vars(sys.modules[made[kind].__module__])):
        runner.run(example)
    assert runner.failures == 0 and (runner.tries > 0 or kind in ("problem", "plot"))


def test_law(made):
    for law, exact in ((made["law"](0.0, 1.0), stats.logistic()), (made["law"](-3.0, 0.2), stats.logistic(-3.0, 0.2))):
        check_distribution(law)
        x = exact.ppf([1e-9, 0.1, 0.5, 0.9, 1.0 - 1e-9])
        assert law.log_prob(x) == pytest.approx(exact.logpdf(x), rel=1e-9)
        assert law.log_tails(x[1]) == pytest.approx((exact.logcdf(x[1]), exact.logsf(x[1])), rel=1e-9)
    with pytest.raises(ValueError, match=r"scale must be .*, got -1\.0"):
        made["law"](0.0, -1.0)


def test_process(made):
    """P(anyone is left after 10 generations): the generating function of the children, ten times."""
    nominal, event = made["process"](0.5, 10), rare.end >= 1
    none = 0.0
    for _ in range(10):
        none = math.exp(0.5 * (none - 1.0))
    for proposal in (None, made["process"](0.9, 10)):
        found = rare.estimate(nominal, event, proposal=proposal, samples=200_000, seed=1)
        assert abs(found.value - (1.0 - none)) <= Z * found.std_error < 0.5 * (1.0 - none)
    rng = np.random.default_rng(1)
    assert {type(nominal.step(3, rng)) for _ in range(9)} <= {int, np.int64} and nominal.log_density(0, 0) == 0.0
    with pytest.raises(ValueError, match=r"children must be .*, got 0\.0"):
        made["process"](0.0, 10)


def test_proposal(made):
    nominal, event = rare.Normal(1.0, 2.0), rare.at_most(-9.0)
    design = made["proposal"](nominal, event)
    check_design(nominal, event, design)
    found = rare.estimate(nominal, event, proposal=design, samples=20_000, seed=1)
    assert abs(found.value - stats.norm.cdf(-5.0)) <= Z * found.std_error < 0.2 * stats.norm.cdf(-5.0)
    for law, wrong in ((rare.Poisson(4.0), rare.at_least(20)), (nominal, rare.at_least(0.0))):
        with pytest.raises(ValueError, match=r"must be a"):
            made["proposal"](law, wrong)


def test_method(made):
    p, q, event, runs = rare.Normal(0.0, 1.0), rare.Normal(0.0, 2.0), rare.at_least(2.0), []
    exact = stats.norm.sf(2.0)
    for seed in range(20):
        found = made["method"](p, event, q, samples=20_000, seed=seed)
        runs.append((found.value - exact) / found.std_error)
    assert abs(np.mean(runs)) * math.sqrt(20) <= Z and stats.chi2.sf(np.sum(np.square(runs)), 20) > 1e-6
    with pytest.raises(ValueError, match="samples"):
        made["method"](p, event, q, samples=1)


def test_problem(made):
    for problem in made["problem"]().values():
        found = rare.solve(problem.nominal, problem.question, exact=False, certify=False, seed=1)
        assert abs(found.value - problem.exact) <= Z * found.std_error < 0.1 * problem.exact


def test_plot(made):
    _, given = plots.figure()
    assert made["plot"](np.array([3.0, 1.0, 2.0]), ax=given) is given
    own = made["plot"](np.array([3.0, 1.0, 2.0]))
    assert own.figure is not given.figure and own.get_title("left") and own.get_xlabel() and own.get_ylabel()
    assert own.lines[0].get_ydata().tolist() == [1.0, 2.0, 3.0]
    assert plots.rendered(own) == plots.rendered(made["plot"](np.array([3.0, 1.0, 2.0])))


def test_experiment(tmp_path):
    """As a script: its numbers, its picture and its page."""
    script = tmp_path / "experiments" / "storm.py"
    script.parent.mkdir()
    script.write_text(CODE["experiment"][0], encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "the naive way 0" in " ".join(done.stdout.split()), done
    left = {path.name: path.read_bytes() for path in (tmp_path / "results" / "storm").rglob("*") if path.is_file()}
    assert {"config.json", "result.json", "report.html", "running.svg", "running.png"} <= set(left)
    numbers = json.loads(left["result.json"])
    assert numbers["estimates"]["naive"]["hits"] == 0 < numbers["estimates"]["tilted"]["hits"]
