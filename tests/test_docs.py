"""The documentation: its examples print what it says, and its reference has every public name."""
import doctest
import inspect
import re
import runpy
from pathlib import Path

import pytest

import rareevents
from rareevents import information, plots, proposals

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md") if ">>> " in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_examples(page):
    assert len(PAGES) >= 4
    found = doctest.testfile(str(DOCS / page), module_relative=False, encoding="utf-8")
    assert found.attempted > 2 and not found.failed


def test_scale_in_two_lines(capsys):
    """The example of docs/scale.md: the same bits elsewhere."""
    block, = re.findall(r"^```python\n(.*?)^```$", (DOCS / "scale.md").read_text(encoding="utf-8"), re.M | re.S)
    exec(compile(block, "docs/scale.md", "exec"), {})
    assert capsys.readouterr().out == "True\n"


def test_reference_is_complete():
    section, listed = "", {}
    for line in runpy.run_path(str(DOCS / "conf.py"))["reference"]().splitlines():
        if found := re.match(r"\.\. currentmodule:: (\S+)", line):
            section = found[1]
        elif found := re.match(r"   ([A-Za-z_.]+)$", line):
            listed.setdefault(section, set()).add(found[1])
    names = {name for name in rareevents.__all__ if not inspect.ismodule(getattr(rareevents, name))}
    assert names <= listed["rareevents"]
    for module in (proposals, information):
        public = {name for name in vars(module) if not name.startswith("_") and callable(getattr(module, name))}
        assert public <= listed[module.__name__]
    drawn = {name for name, thing in vars(plots).items() if inspect.isfunction(thing)
             and "ax" in inspect.signature(thing).parameters}
    assert len(drawn) > 10 and {f"plots.{name}" for name in drawn} <= listed["rareevents"]
