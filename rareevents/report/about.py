"""What a script says of itself: its question, its settings, and the command that runs it."""
from __future__ import annotations

import ast
import inspect
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Setting(NamedTuple):
    """A setting of an experiment: its name, its value in words, and what it means."""

    name: str
    value: str
    meaning: str


class About(NamedTuple):
    """What is known of an experiment without its results."""

    title: str
    question: tuple[str, ...]     # paragraphs
    settings: tuple[Setting, ...]
    command: str
    shipped: bool                 # whether the settings are those that the script has


def about(script: Path, settings: type, config: Mapping[str, Any], shipped: Mapping[str, Any]) -> About:
    """What a script says of itself.

    Parameters
    ----------
    script
        The file of the experiment; its docstring has a title, an empty line, and the question.
    settings
        Its dataclass of settings, each documented by the string under it.
    config, shipped
        The settings of the run, and those of the script, as plain data.
    """
    tree = ast.parse(script.read_text(encoding="utf-8"))
    title, *question = inspect.cleandoc(ast.get_docstring(tree) or script.stem).split("\n\n")
    meant = _meanings(tree, settings.__name__)
    rows = tuple(Setting(name, _worded(value), meant.get(name, "")) for name, value in config.items() if name != "kind")
    place = f"experiments/{script.name}" if script.parent.name == "experiments" else script.name
    return About(" ".join(title.split()), tuple(" ".join(part.split()) for part in question), rows,
                 shlex.join(["rareevents", "run", place, *flags(config, shipped)]), config == shipped)


def flags(config: Mapping[str, Any], shipped: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The flags that turn the shipped settings into those of a run.

    >>> flags({"kind": "Settings", "samples": 10, "seed": 1}, {"kind": "Settings", "samples": 20, "seed": 1})
    ['--samples', '10']
    """
    plain, nested = [], []
    for name, value in config.items():
        if name == "kind" or value == shipped.get(name):
            continue
        flag = f"{prefix}{name}".replace("_", "-")
        if isinstance(value, Mapping):                    # one of several dataclasses: a subcommand, named by its class
            kind, inner = value["kind"], shipped.get(name)
            inner = inner if isinstance(inner, Mapping) and inner["kind"] == kind else {}
            nested += [f"{flag}:{_hyphens(kind)}", *flags(value, inner, f"{prefix}{name}.")]
        elif isinstance(value, bool):
            plain.append(f"--{flag}" if value else f"--{prefix}no-{name}".replace("_", "-"))
        else:
            plain += [f"--{flag}", *map(str, value if isinstance(value, list) else [value])]
    return plain + nested


def _hyphens(kind: str) -> str:
    """The name of a class as the command line has it: OwnLaw is own-law."""
    return "".join(("-" if i and letter.isupper() else "") + letter.lower() for i, letter in enumerate(kind))


def _meanings(tree: ast.Module, name: str) -> dict[str, str]:
    """Field -> the string under it, in the class of that name."""
    body = next((node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), [])
    return {field.target.id: " ".join(inspect.cleandoc(words.value.value).split())
            for field, words in zip(body, body[1:], strict=False)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(words, ast.Expr)
            and isinstance(words.value, ast.Constant) and isinstance(words.value.value, str)}


def _worded(value: Any) -> str:
    """A setting as people read it."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{name}={_worded(part)}" for name, part in value.items() if name != "kind")
        return f"{value['kind']}({inside})"
    if isinstance(value, list):
        return ", ".join(map(_worded, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
