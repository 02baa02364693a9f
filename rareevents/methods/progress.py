"""A progress bar on a terminal while a run of draws goes on."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rareevents import estimates
from rareevents.engine import Stop
from rareevents.moments import Moments


class reporting:
    """A progress bar, or nothing."""

    def __init__(self, wanted: bool, stop: Stop) -> None:
        self._wanted, self._stop, self._bar = wanted, stop, None

    def __enter__(self) -> Callable[[Moments], None] | None:
        if not self._wanted:
            return None
        from tqdm import tqdm
        draws = self._stop.draws
        self._bar = tqdm(total=int(draws) if math.isfinite(draws) else None, leave=False,
                        bar_format="{percentage:3.0f}%|{bar}| {remaining}{postfix}")

        def report(total: Moments) -> None:
            terms = total.of(0)
            self._bar.set_postfix_str(f"{estimates.shown(terms.mean, terms.std_error)}, relative error "        # type: ignore
                                     f"{terms.relative_error:.2g}, ESS {estimates.effective(terms):.3g}", refresh=False)
            self._bar.update(total.draws - self._bar.n)                                                          # type: ignore
        return report

    def __exit__(self, *_: Any) -> None:
        if self._bar is not None:
            self._bar.close()
