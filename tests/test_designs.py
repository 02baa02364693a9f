"""What a designed proposal claims of one number, against sums and integrals: its bound, its variance, its reach."""
import pytest

import rareevents as rare
from rareevents import proposals
from rareevents.oracle import grade

POISSON, NORMAL, HEAVY = rare.Poisson(4.0), rare.Normal(1.0, 2.0), rare.Lomax(2.5, 1.0)

DESIGNS = {                   # a function of (law, event), and questions that it answers
    proposals.tilt: [(POISSON, rare.at_least(20)), (NORMAL, rare.at_most(-9.0))],
    proposals.overshoot: [(POISSON, rare.at_least(20)), (NORMAL, rare.at_least(12.0)), (HEAVY, rare.at_least(1e3))],
    proposals.truncated: [(POISSON, rare.Event(rare.identity, 18, 25)), (NORMAL, rare.at_least(12.0))],
    proposals.mixture: [(NORMAL, rare.outside(-9.0, 12.0))],
}


def check_design(nominal, event, made):
    """The exact relative variance and the largest weight over the event are those that the design states."""
    exact = grade(nominal, event, made.law)
    assert made.how and made.relative_variance == pytest.approx(exact.relative_variance, rel=1e-6, abs=1e-12)
    assert made.bound is None or made.bound >= exact.largest * (1.0 - 1e-9)


@pytest.mark.parametrize(("function", "nominal", "event"), [
    pytest.param(function, *question, id=f"{function.__name__} {question[1]!r}")
    for function, questions in DESIGNS.items() for question in questions])
def test_claims(function, nominal, event):
    check_design(nominal, event, function(nominal, event))
