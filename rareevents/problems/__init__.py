"""Reference problems with exact answers: what `solve` is measured by."""
from rareevents.problems.laws import laws as laws
from rareevents.problems.paths import paths as paths
from rareevents.problems.portfolios import portfolios as portfolios
from rareevents.problems.problem import Problem as Problem


def catalogue() -> dict[str, Problem]:
    """All problems by name.

    >>> catalogue()["Poisson(1) ≥ 17"].exact
    1.0949201303781835e-15
    """
    return {**laws(), **paths(), **portfolios()}
