"""What the design of a proposal leaves: a law, and what is known about it."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rareevents.distributions import Distribution


@dataclass(frozen=True)
class Proposal:
    """A law to draw from for one question, with what was proved or computed about it. `estimate` takes it as it is."""

    law: Distribution                          # q
    nominal: Distribution                      # p and
    event: Any                                 # f: the question that it was designed for
    how: str                                   # what was chosen and why, in a sentence
    bound: float | None = None                 # proven: |f| p/q is at most this everywhere; None: nothing is proved
    relative_variance: float | None = None     # of one draw, exact; None: it was not computed
    learning: int = 0                          # draws spent on the design

    def answers(self, nominal: Distribution, event: Any) -> bool:
        """Whether what is known of it holds for this question: it is the very one that it was designed for."""
        return event is self.event and nominal is self.nominal
