"""Uses the installed wheel outside the source tree: `python -I smoke.py <source tree>`."""
import sys
from importlib.metadata import files
from pathlib import Path

import rareevents as rare
from rareevents.explainer import page

EXACT = 1.0200522106e-08                                     # P(N >= 20), N ~ Poisson(4)

home = Path(rare.__file__).resolve().parent
assert Path(sys.argv[1]).resolve() not in home.parents, f"{home} is in the source tree"
for pattern in ("py.typed", "*.mplstyle", "page.html", "parts.css", "explainer/page.html", "explainer/*.js",
                "explainer/*.css"):
    assert list(home.rglob(pattern)), f"the wheel has no {pattern}"
other = {path.parts[0] for path in files("rareevents")} - {"rareevents", ".."}
assert all(name.endswith(".dist-info") for name in other), f"the wheel holds more than the package: {sorted(other)}"

estimate = rare.estimate(rare.Poisson(rate=4.0), rare.at_least(20), proposal=rare.Poisson(rate=20.0),
                         samples=10_000, seed=1)
assert 0.0 < estimate.std_error < 0.1 * EXACT, estimate
assert abs(estimate.value - EXACT) < 5.0 * estimate.std_error, estimate
assert page().count("</section>") == 4
print(estimate)
