"""What a designed proposal is: a law, what is known about it, and the question that it is for where that is another."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Level(NamedTuple):
    """One round of an adaptive method: the level it aimed at, the law it drew from, and what it found."""

    level: float                  # of the margin; 0: the event itself
    law: Any                      # that the round drew from
    hits: int                     # draws in the event
    effective: float              # effective sample size of what the next law was fitted to


@dataclass(frozen=True, eq=False)
class Design:
    """A proposal that the library chose, and what it knows about it.

    `estimate`, `compare` and `weighted_samples` take it where they take a law.
    """

    law: Any                                   # a law of draws, or of paths
    how: str                                   # in a sentence
    bound: float | None = None                 # proven supremum of p/q over the event, None where nothing is proven
    relative_variance: float | None = None     # exact, of one draw of p/q on the event; None where not known
    variance_bound: float | None = None        # proven, of the relative variance, where it is not known exactly
    exploration: int = 0                       # draws spent looking for the event
    learning: int = 0                          # draws spent fitting
    levels: tuple[Level, ...] = ()             # the rounds of an adaptive method

    def __repr__(self) -> str:
        known = [f"p/q at most {self.bound:.4g} on the event" if self.bound is not None else "",
                 f"relative variance {self.relative_variance:.4g} a draw" if self.relative_variance is not None else "",
                 f"relative variance at most {self.variance_bound:.4g}" if self.variance_bound is not None else "",
                 f"{self.exploration + self.learning:,} draws spent" if self.exploration + self.learning else ""]
        return f"{self.law!r}: {self.how}" + "".join(f"; {text}" for text in known if text)


class Restated(NamedTuple):
    """A question with the same answer, asked of other draws, and the proposal for it: `estimate(*restated, ...)`."""

    nominal: Any                  # the law of those draws
    f: Any                        # what is asked of them
    design: Design


def law_of(proposal: Any) -> Any:
    """The law of a design; anything else as it is."""
    return proposal.law if isinstance(proposal, Design) else proposal
