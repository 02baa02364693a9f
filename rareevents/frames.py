"""Estimates as a table of pandas, which is imported only here and only when it is asked for."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rareevents.estimates import Estimate


def frame(estimates: Mapping[Any, Estimate], **more: Any) -> Any:
    """A row for each estimate, named by its key.

    Parameters
    ----------
    estimates : mapping from name to Estimate
        Each of one quantity.
    more : column -> list
        What else there is to say of each, in the same order.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError("to_dataframe needs pandas: install it, or rareevents with the extra 'pandas'") from error
    rows = []
    for estimate in estimates.values():
        low, high = estimate.interval()
        rows.append({"value": estimate.value, "std_error": estimate.std_error, "low": low, "high": high,
                     "relative_error": estimate.relative_error, "draws": sum(estimate.evaluations),
                     "hits": estimate.hits, "effective_sample_size": estimate.effective_sample_size,
                     "relative_variance": estimate.relative_variance, "kind": estimate.kind,
                     "verdict": estimate.verdict, "reason": estimate.reason})
    return pandas.DataFrame(rows, index=list(estimates)).assign(**more)
