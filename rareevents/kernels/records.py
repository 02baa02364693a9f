"""Parameters as run-time data: records whose type depends on the names and kinds of the fields, never on their values.

A record is a named tuple of floats, ints, arrays and other records. Its class can be imported by its field names
(`records.P__mean__sd`), so that Numba can find it again when it loads a kernel from the disk cache.
"""
from __future__ import annotations

import collections
import sys
from typing import Any

import numpy as np


def __getattr__(name: str) -> type:
    if not name.startswith("P__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    cls = collections.namedtuple(name, name[3:].split("__"))           # noqa: PYI024  the fields are known at run time
    cls.__module__ = __name__
    return globals().setdefault(name, cls)


def record(**fields: Any) -> tuple:
    """A record of the given fields; numbers become float or int, sequences become arrays, records stay."""
    if not fields:
        fields = {"nothing": 0}
    return getattr(sys.modules[__name__], "P__" + "__".join(fields))(*map(tidy, fields.values()))


def tidy(value: Any) -> Any:
    """One kind of value, one compiled type."""
    if isinstance(value, (bool, int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, tuple):
        return value
    array = np.array(value, order="C")              # its own, writable and contiguous: always the same array type
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a law's fields must be numbers, arrays of numbers or laws, got {value!r}")
    return array


def nest(items: list) -> tuple:
    """[a, b, c] -> (a, (b, (c,))): unlike records in one structure that compiled code can walk."""
    return (items[0],) if len(items) == 1 else (items[0], nest(items[1:]))


def stackable(records: list[tuple]) -> bool:
    """Whether the records are of one class with only numbers in them, so that their number can be data."""
    return len({type(r) for r in records}) == 1 and all(type(v) in (int, float) for r in records for v in r)


def stack(records: list[tuple]) -> np.ndarray:
    """Records of one class as a structured array: `parts[j].mean` reads the same as on one record."""
    dtype = np.dtype([(name, np.int64 if type(value) is int else np.float64)
                      for name, value in zip(records[0]._fields, records[0], strict=True)])
    return np.array([tuple(r) for r in records], dtype)
