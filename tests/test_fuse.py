"""Kernels made of plain functions: never stale, found again by the next process, whatever the functions come from."""
import math
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numba import njit

import rareevents as rare
from rareevents.kernels.freeze import Frozen
from rareevents.kernels.fuse import COMPILED

P = rare.Poisson(4.0)
LEVEL = 8
REPORT = """
from rareevents.kernels.fuse import COMPILED
print(found.value.hex(), COMPILED["compiled"], COMPILED["loaded"], COMPILED["uncached"])
"""
SCRIPT = """
import rareevents as rare
level = 8
def reached(x, k):
    return x >= k
def f(x):
    return 2.0 * reached(x, level)
found = rare.estimate(rare.Poisson(4.0), f, samples=20_000, seed=1)
""" + REPORT


def value(f, **options):
    return rare.estimate(P, f, samples=20_000, seed=1, **options).value


def share(level):
    """What `value` gives for the indicator of x >= level: the same draws."""
    return float((rare.estimate(P, rare.at_least(level), samples=20_000, seed=1)).value)


def compiled():
    return COMPILED["compiled"] + COMPILED["uncached"]


def helper(x):
    return x >= LEVEL


def uses_helper(x):
    return 2.0 * helper(x)


# ------------------------------------------------------------------------------------------------ in one process
def test_a_changed_global_is_noticed(monkeypatch):
    assert value(uses_helper) == 2.0 * share(8)
    monkeypatch.setitem(globals(), "LEVEL", 6)
    assert value(uses_helper) == 2.0 * share(6)


def test_a_redefined_helper_is_noticed(monkeypatch):
    assert value(uses_helper) == 2.0 * share(8)
    monkeypatch.setitem(globals(), "helper", lambda x: x >= 5)
    assert value(uses_helper) == 2.0 * share(5)


def test_a_changed_closure_value_is_noticed():
    def above(level):
        return lambda x: x >= level
    assert [value(above(level)) for level in (5, 8, 5)] == [share(5), share(8), share(5)]


def test_two_functions_on_one_line_are_two():
    first, second = (lambda x: x >= 5), (lambda x: x >= 8)
    assert (value(first), value(second)) == (share(5), share(8))


def test_a_changed_attribute_of_a_module_is_noticed(tmp_path, monkeypatch):
    (tmp_path / "limits_of_a_user.py").write_text("LEVEL = 8\n\ndef reached(x):\n    return x >= LEVEL\n")
    monkeypatch.syspath_prepend(tmp_path)
    import limits_of_a_user as limits

    def by_value(x):
        return x >= limits.LEVEL

    def by_function(x):
        return limits.reached(x)
    assert value(by_value) == value(by_function) == share(8)
    limits.LEVEL = 6
    assert value(by_value) == value(by_function) == share(6)


def test_an_array_is_copied_and_its_change_is_noticed():
    table = np.zeros(100)
    table[8:] = 1.0

    def look_up(x):
        return table[min(x, 99)]
    assert value(look_up) == share(8)
    table[6:] = 1.0
    assert value(look_up) == share(6)


def test_tuples_of_one_content_and_another_shape_are_two():
    def reads(table):
        return lambda x: x >= table[0][0]
    first, second = (Frozen(reads(table), build=False).digest for table in (((6.0, 8.0), 1.0), ((6.0,), 8.0, 1.0)))
    assert first != second


def test_a_cell_run_again_is_noticed():
    """What a notebook does: code without a source file, executed again in the same names."""
    names = {"rare": rare}
    cell = "def inner(x):\n    return x >= {level}\ndef outer(x):\n    return inner(x)\n"
    exec(cell.format(level=8), names)
    assert value(names["outer"]) == share(8)
    exec("def inner(x):\n    return x >= 6\n", names)                       # only the helper's cell
    assert value(names["outer"]) == share(6)


def test_a_comment_compiles_nothing():
    names = {}
    exec("def f(x):\n    return x >= 7\n", names)
    value(names["f"])
    before = compiled()
    exec("def f(x):\n    # a remark\n    return x >= 7\n", names)
    assert value(names["f"]) == share(7)
    assert compiled() == before


@dataclass(frozen=True)
class Shifting(rare.Distribution):
    """A user's law with a parameter of each kind."""

    rate: float
    by: int
    table: tuple = (0.0, 1.0)
    support = rare.integers(0, math.inf)

    def draw(self, rng):
        return rng.poisson(self.rate) + self.by

    def log_density(self, x):
        k = x - self.by
        return k * math.log(self.rate) - self.rate - math.lgamma(k + 1.0) + self.table[0] if k >= 0 else -math.inf


def test_new_values_of_laws_levels_and_sizes_compile_nothing():
    def run(rate, by, level, n, vector):
        rare.estimate(P, rare.at_least(level), proposal=rare.Poisson(rate), samples=1000)
        rare.estimate(rare.Normal(), rare.at_least(level), proposal=rare.Normal(rate, 2.0), samples=1000,
                      audit=False)
        rare.estimate(rare.Poisson(4.0), rare.at_least(level) | rare.at_most(0), samples=1000,
                      proposal=rare.Mixture([rare.Poisson(rate), P], [0.25, 0.75]))
        rare.estimate(rare.IID(rare.Normal(), n), rare.total >= level, samples=1000)
        rare.estimate(rare.IID(rare.Normal(), n), rare.linear(vector) >= level, samples=1000)
        rare.estimate(Shifting(4.0, 0), rare.at_least(level), proposal=Shifting(rate, by, (0.0,)), samples=1000,
                      audit=False)
    run(20.0, 0, 10, 3, np.ones(3))
    before = COMPILED.copy()
    run(17.5, 0, 12, 40, np.arange(40.0))
    assert before == COMPILED


def test_log_densities_are_vectorised_and_samplers_are_not():
    """Two snapshots of one function: their digests, and so their kernels, differ; without a use of math they agree."""
    def with_log(x):
        return math.log(x) + math.pi

    def without(x):
        return x * x
    assert Frozen(with_log, build=False).digest != Frozen(with_log, build=False, vectorised=True).digest
    assert Frozen(without, build=False).digest == Frozen(without, build=False, vectorised=True).digest
    x = np.array([1e-300, 0.3, 1.0, 2.5, 1e300])
    frozen = Frozen(with_log, vectorised=True).function
    call = njit(lambda v: frozen(v))                         # a snapshot can be called by compiled code only
    got = [call(v) for v in x]
    assert got == pytest.approx(np.log(x) + math.pi, rel=4e-16)


# ------------------------------------------------------------------------------------------------ over processes
def run(folder, *arguments, cache, text=None, limit=False):
    """(value, compiled, loaded, uncached) that a fresh Python prints."""
    def no_files():                                      # every write to a file fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    root = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *arguments], input=text, text=True, capture_output=True, cwd=folder,
                          env=environment, preexec_fn=no_files if limit else None, check=False)
    assert done.returncode == 0, done.stderr
    number, *counts = done.stdout.split()
    return float.fromhex(number), *map(int, counts)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def cold(cache, tmp_path_factory):
    """The script's first run, which fills the cache."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "script.py").write_text(SCRIPT)
    return run(folder, "script.py", cache=cache)


def test_the_first_run_compiles(cold):
    assert cold[0] == 2.0 * share(8)
    assert cold[1] >= 1 and cold[2:] == (0, 0)


@pytest.mark.parametrize("way", ["script", "module", "command", "stdin"])
def test_the_next_process_loads_the_kernel_whatever_its_functions_come_from(way, cold, cache, tmp_path):
    (tmp_path / "other_name.py").write_text(SCRIPT)
    arguments = {"script": ["other_name.py"], "module": ["-m", "other_name"], "command": ["-c", SCRIPT], "stdin": ["-"]}
    found = run(tmp_path, *arguments[way], cache=cache, text=SCRIPT if way == "stdin" else None)
    assert found == (cold[0], 0, cold[1], 0)


def test_a_helper_edited_in_another_module_is_noticed_by_the_next_process(cold, cache, tmp_path):
    script = SCRIPT.replace("def reached(x, k):\n    return x >= k\n", "from their_helper import reached\n")
    (tmp_path / "script.py").write_text(script)
    (tmp_path / "their_helper.py").write_text("def reached(x, k):\n    return x >= k\n")
    assert run(tmp_path, "script.py", cache=cache)[0] == cold[0]
    (tmp_path / "their_helper.py").write_text("def reached(x, k):\n    return x >= k - 2\n")
    number, new, *_ = run(tmp_path, "script.py", cache=cache)
    assert number == 2.0 * share(6) and new >= 1


def test_the_bits_do_not_need_a_cache(cold, tmp_path):
    """A disk that takes nothing: each kernel is compiled and not kept. A folder that cannot be: Numba takes another."""
    assert run(tmp_path, "-c", SCRIPT, cache=tmp_path / "cache", limit=True) == (cold[0], 0, 0, cold[1])
    (tmp_path / "file").write_text("")
    assert run(tmp_path, "-c", SCRIPT, cache=tmp_path / "file" / "cache")[0] == cold[0]


def test_a_damaged_cache_is_replaced(cold, cache, tmp_path):
    shutil.copytree(cache, tmp_path / "cache")
    files = list((tmp_path / "cache").rglob("*.nbc"))
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[:100])
    number, new, loaded, uncached = run(tmp_path, "-c", SCRIPT, cache=tmp_path / "cache")
    assert number == cold[0] and (new, loaded, uncached) == (0, 0, cold[1])
    assert run(tmp_path, "-c", SCRIPT, cache=tmp_path / "cache")[0] == cold[0]


def test_three_processes_at_once_share_a_cold_cache(cold, tmp_path):
    root = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(root)}
    levels = (5, 8, 8)
    running = [subprocess.Popen([sys.executable, "-c", SCRIPT.replace("level = 8", f"level = {level}")],
                                stdout=subprocess.PIPE, text=True, env=environment) for level in levels]
    found = [float.fromhex(process.communicate()[0].split()[0]) for process in running]
    assert found == [2.0 * share(level) for level in levels]
