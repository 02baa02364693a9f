"""The alias table of a count law on 0, 1, 2, ..., with what an exact draw beyond its end needs."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents.kernels.alias import alias_table

CELLS = 4096                # a law that needs more draws by its own algorithm
BEYOND = 1e-12              # the mass left to the exact path beyond the table


def table_of(mass: Callable[[np.ndarray], np.ndarray], last: float) -> dict[str, Any]:
    """Derived constants of a law whose probabilities on 0 .. `last` are `mass(x)`.

    table: the packed table of P(X = 0) .. P(X = cells - 1), P(X >= cells); one cell of zero if CELLS do not suffice
    cells, beyond, edge: the number of single values, P(X >= cells), P(X = cells)
    """
    p = mass(np.arange(min(last, CELLS - 1) + 1))
    tails = p[::-1].cumsum()[::-1]                     # P(x <= X < CELLS), summed from the small end
    if last < CELLS:
        return {"table": alias_table(p), "cells": len(p), "beyond": 0.0, "edge": 0.0}
    ratio = p[-1] / p[-2] if p[-2] > 0.0 else 0.0
    rest = p[-1] * ratio / (1.0 - ratio) if ratio < 1.0 else math.inf                    # about P(X >= CELLS)
    tails += rest
    cells = int(np.argmax(tails <= BEYOND)) if rest <= 1e-4 * BEYOND and tails[0] > 0.5 else 0
    if cells == 0:
        return {"table": np.zeros(1, np.uint64), "cells": 0, "beyond": 0.0, "edge": 0.0}
    return {"table": alias_table(np.append(p[:cells], tails[cells])), "cells": cells,
            "beyond": float(tails[cells]), "edge": float(p[cells])}
