"""The examples in the docstrings of the package run, and print what they say."""
import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = [path for path in sorted((ROOT / "rareevents").rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in FILES])
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
