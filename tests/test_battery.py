"""The battery of `benchmarks/streams.py` on few words, its power, and the record of the whole one.

The seed is fixed; with a fresh one all p-values here would give a false alarm with probability 1e-6, and their law
with another 1e-6.
"""
import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import binary, streams
from benchmarks.battery import PIECE

RECORD = Path(__file__).resolve().parents[1] / "results" / "benchmarks" / "streams.json"
ALPHA = 1e-6


@pytest.fixture(scope="module")
def found():
    return {name: streams.examine(source(1), PIECE) for name, source in streams.SOURCES.items()}


def test_the_streams_pass(found):
    verdict = streams.judge(found, ALPHA)
    assert verdict["passed"], verdict
    assert all(math.isfinite(row["p"]) for rows in found.values() for row in rows.values())


def test_every_test_fails_a_weak_generator(found):
    """A test that passes them all would show nothing; the linear ones must see what no other can."""
    failed = {name: set(streams.failures(streams.examine(source(1), PIECE), ALPHA))
              for name, source in streams.WEAK.items()}
    assert set.union(*failed.values()) == set(found["one stream"])
    assert failed["xoshiro256 without scrambler"] == {name for name in found["one stream"] if name.startswith((
        "ranks", "linear complexity"))}
    assert len(failed["linear congruence modulo 2^32"]) >= 15


def test_the_words_are_those_of_the_kernels():
    """The first words of chunks, of a whole stream and of streams by turns are the same words."""
    one, turns, chunks = np.empty(8, np.uint64), np.empty(2 * streams.CHUNKS, np.uint64), np.empty(8, np.uint64)
    streams.one_stream(7)(0, one)
    streams.interleaved(7)(0, turns)
    streams.neighbours(7, 2)(0, chunks)
    assert turns[0] == chunks[0] == one[0] and turns[streams.CHUNKS] == one[1]
    assert np.array_equal(turns[:8], chunks)
    stages, seeds, later = np.empty(8, np.uint64), np.empty(8, np.uint64), np.empty(4, np.uint64)
    streams.neighbours(7, 1)(0, stages)
    streams.neighbours(7, 0)(0, seeds)
    streams.neighbours(7, 2)(4, later)
    assert stages[0] == seeds[0] == one[0] and len({*stages, *seeds, *chunks}) == 22
    assert np.array_equal(later, chunks[4:])


def test_rank_and_complexity_of_known_sequences():
    rows = (np.uint64(1) << np.arange(40, dtype=np.uint64))[:, None]
    assert binary.rank(rows.copy()) == 40 and binary.rank(np.concatenate([rows, rows])) == 40
    bits = np.zeros(binary.LENGTH // 64, np.uint64)
    assert binary.complexity(bits) == 0
    bits[-1] = np.uint64(1) << np.uint64(63)                              # zeros, then a one: no shorter register
    assert binary.complexity(bits) == binary.LENGTH
    bits[:] = 0x5555555555555555                                          # 1, 0, 1, 0, ...
    assert binary.complexity(bits) == 2


def test_a_number_of_words_must_be_whole_pieces():
    with pytest.raises(ValueError, match="multiple of"):
        streams.examine(streams.one_stream(1), PIECE + 1)


def test_the_record_is_of_this_battery(found):
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    assert {name: list(rows) for name, rows in sorted(record["sources"].items())} == \
        {name: sorted(rows) for name, rows in sorted(found.items())}
    verdict = streams.judge({name: record["sources"][name] for name in streams.SOURCES})
    assert verdict == record["verdict"] and verdict["passed"]
    assert record["sources"]["one stream"]["bytes"]["words"] == \
        record["sources"]["8192 streams by turns"]["bytes"]["words"] == 2 ** 32
