"""docs/extending.md: its examples run in order, and their answers are right."""
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from rareevents.testing import check_distribution

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
RICH = 0.5 * ((1.5 - 1.0) + (1.5 ** 2 - 1.0)) / (1.5 ** 20 - 1.0)         # gambler's ruin, from one coin or from two
Z = 4.9                     # |z| above this: false alarm 1e-6 for each estimate


@pytest.fixture(scope="module")
def page():
    """The names that the page defines, and under `printed` all that it prints."""
    printed = []
    names = {"__name__": "extending", "print": printed.append, "printed": printed}
    for block in BLOCKS:
        exec(compile(block, "docs/extending.md", "exec"), names)
    return names


def test_every_estimate_is_right(page):
    tails = stats.poisson.sf([7, 11], 4.0)
    naive = page["rare"].estimate(page["Reserve"](1.2, 1.0), page["ruin"], samples=1_000_000, seed=3)
    exact = [math.exp(-12.5), stats.norm.sf(6.0 / math.sqrt(1.5 ** 2 + 1.0)), stats.norm.sf(2.0), naive.value,
             RICH, tails, tails[0]]
    for estimate, answer in zip(page["printed"], exact, strict=True):
        error = np.hypot(estimate.std_error, naive.std_error if answer is naive.value else 0.0)
        assert np.all(np.abs(estimate.value - answer) <= Z * error), (estimate, answer)
        assert np.all(estimate.std_error < 0.3 * answer)


def test_a_process_whose_beginnings_are_known_has_a_graph(page):
    exact = page["rare"].solve(page["Gambler"](0.4), page["rich"])
    assert exact.kind == "exact" and exact.value == pytest.approx(RICH, rel=1e-12)


def test_laws_of_the_page_keep_the_contract(page):
    rayleigh, pair, scaled = page["Rayleigh"], page["Pair"], page["Scaled"]
    for law in (rayleigh(2.0), pair(0.5), scaled(page["rare"].Normal(1.0, 2.0), 3.0)):
        check_distribution(law)


def test_a_law_is_tried_in_python(page):
    """`rng` may be a generator of NumPy, and derived constants read like fields."""
    law = page["Rayleigh"](3.0)
    assert law.draw(np.random.default_rng(1)) > 0.0
    assert law.log_scale == math.log(3.0)
    assert law.log_density(2.0) == pytest.approx(stats.rayleigh(scale=3.0).logpdf(2.0), rel=1e-14)


def test_lines_fit():
    assert max(map(len, PAGE.splitlines())) <= 120
