"""Faults of the core are noticed: the table of mutants is sound, each relation kills one, and the killers do fail."""
import ast
import re
from pathlib import Path

from mutants import MUTANTS
from mutation import RELATIONS, ROOT, Workshop, mutated

KILLED = [mutant for mutant in MUTANTS if mutant.killer is not None]
QUICK = [mutant for mutant in KILLED if mutant.killer.split("::")[0] in ("test_checks.py", "test_intervals.py")]


def relations():
    """file::test of every metamorphic relation."""
    for path in RELATIONS:
        for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield f"{Path(path).name}::{node.name}"


def test_the_table_fits_the_code():
    """Each old text occurs once in its file, and each mutant is a program."""
    for mutant in MUTANTS:
        compile(mutated(mutant), mutant.file, "exec")
    assert len(MUTANTS) >= 100 and len({mutant.breaks for mutant in MUTANTS}) == len(MUTANTS)


def test_the_killers_exist():
    for mutant in KILLED:
        file, name = mutant.killer.split("::")
        assert re.search(rf"^def {name}\(", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.M), mutant


def test_survivors_are_few_and_explained():
    survivors = [mutant for mutant in MUTANTS if mutant.killer is None]
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    assert len(survivors) <= 0.05 * len(MUTANTS)
    assert all(mutant.why and mutant.breaks in page for mutant in survivors)
    assert f"{len(KILLED)} of {len(MUTANTS)}" in page


def test_every_relation_kills_a_mutant():
    killers = {mutant.killer for mutant in KILLED}
    assert [name for name in relations() if name not in killers] == []


def test_the_page_names_a_mutant_for_every_relation():
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(test_\w+)` \|.*\| ([^|]+) \|$", page, re.M))
    killed = {(mutant.killer.split("::")[1], mutant.breaks) for mutant in KILLED}
    assert sorted(rows) == sorted(name.split("::")[1] for name in relations())
    assert [row for row in rows.items() if row not in killed] == []


def test_mutants_are_killed(replicates, tmp_path):
    """With --slow all of them, otherwise a few that compile nothing; without a mutant the same tests pass."""
    chosen = replicates(full=KILLED, reduced=QUICK[::len(QUICK) // 3])
    shop = Workshop(tmp_path)
    tests = tuple(sorted({f"tests/{mutant.killer}" for mutant in chosen}))
    assert shop.failures(None, tests) == set()
    alive = [mutant.breaks for mutant in chosen
             if not shop.failures(mutant, (f"tests/{mutant.killer}",)) & {mutant.killer, "timeout"}]
    assert alive == []
