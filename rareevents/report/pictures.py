"""Plots inside a page: small, sharing what they define, and without two ids that are the same."""
from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import NamedTuple

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
DRAWN = {SVG + tag for tag in ("svg", "g", "defs", "path", "use", "clipPath", "rect", "pattern", "image", "symbol",
                               "linearGradient", "stop", "filter", "a", "text", "tspan", "circle", "ellipse",
                               "line", "polyline", "polygon", "mask")}
LONG = re.compile(r"-?\d+\.\d{3,}")                       # numbers with more digits than an eye sees
SIZES = {"M": 2, "L": 2, "Q": 4, "C": 6, "Z": 0, "z": 0}  # numbers of each step of a path
ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
STYLE = re.compile(r"[\w\s#.,:;()%-]*")                   # of a style that may become a class


class Picture(NamedTuple):
    """A plot of a page."""

    name: str
    caption: str
    markup: str                   # <svg>...</svg>; empty where the PNG is smaller
    png: str                      # as base64; empty where the SVG is smaller
    width: int                    # of the PNG at its size in print, in pixels of a page


def pictures(files: Mapping[str, bytes], captions: Mapping[str, str]) -> tuple[list[Picture], str]:
    """The plots of a results folder in the order of their captions, and the style sheet that they share.

    Each as SVG, or as PNG where that is smaller: a plot of very many points.
    """
    defined: dict[bytes, str] = {}
    styles: dict[str, str] = {}
    found = []
    for name, caption in captions.items():
        png = files[f"plots/{name}.png"]
        encoded, before = base64.b64encode(png).decode(), (dict(defined), dict(styles))
        markup = inline(files[f"plots/{name}.svg"], name, defined, styles)
        if len(markup) > len(encoded):
            markup, (defined, styles) = "", before
        else:
            encoded = ""
        found.append(Picture(name, caption, markup, encoded, int.from_bytes(png[16:20], "big") * 16 // 25))
    return found, "".join(f".{key}{{{style}}}" for style, key in styles.items())


def inline(svg: bytes, name: str, defined: dict[bytes, str], styles: dict[str, str]) -> str:
    """An SVG file of matplotlib as a part of a page.

    Coordinates keep two digits of a point; text becomes no smaller than its glyphs, each defined once in a page.

    Parameters
    ----------
    svg
        The file.
    name
        Of the plot; its caption has the id plot-NAME-caption.
    defined
        Content of a glyph, marker, hatch or clipping path -> its id in the page; what is new is added.
    styles
        Style -> its class in the page; what is new is added.
    """
    root = ElementTree.fromstring(svg)
    used = set(re.findall(rb"#([\w.-]+)", svg))
    _prune(root)
    names = _define(root, used, defined)
    for element in root.iter():
        for key, value in element.attrib.items():
            if "#" in value:
                element.set(key, re.sub(r"#([\w.-]+)", lambda m: f"#{names.get(m[1], m[1])}", value))
        style = element.get("style")
        if style is not None and STYLE.fullmatch(style):
            del element.attrib["style"]
            element.set("class", styles.setdefault(style.replace("; ", ";").replace(": ", ":"), f"s{len(styles)}"))
    for key in ("height", "version"):
        root.attrib.pop(key, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"plot-{name}-caption")
    title = ElementTree.Element(SVG + "title")
    title.text = name.replace("_", " ")
    root.insert(0, title)
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")


def _prune(element: ElementTree.Element) -> None:
    """Leave out what is not drawn, empty groups and white space, and shorten numbers."""
    kept = []
    for child in list(element):
        _prune(child)
        if child.tag in (SVG + "g", SVG + "defs") and not len(child):
            continue
        if child.tag in DRAWN:
            kept += list(child) if child.tag == SVG + "g" and set(child.attrib) <= {"id"} else [child]
        element.remove(child)
    element.extend(kept)
    if element.tag not in (SVG + "text", SVG + "tspan"):
        element.text = None
    element.tail = None
    if LINK in element.attrib:
        element.set("href", element.attrib.pop(LINK))
    if "d" in element.attrib:
        element.set("d", _steps(element.attrib["d"]))
    for key in ("x", "y", "width", "height", "points"):
        if key in element.attrib:
            element.set(key, _short(element.attrib[key]))
    place = element.get("transform", "")
    if element.tag == SVG + "use" and "x" not in element.attrib and re.fullmatch(r"translate\([\d.-]+ 0\)", place):
        element.set("x", _short(place[10:-3]))                                         # a glyph in its line
        del element.attrib["transform"]
    elif place:
        element.set("transform", re.sub(r"translate\([^)]*\)", lambda m: _short(m[0]), place))


def _define(root: ElementTree.Element, used: set[bytes], defined: dict[bytes, str]) -> dict[str, str]:
    """Give what is referred to an id of the page, leave out what the page has already; old id -> new id."""
    names = {}
    for parent in list(root.iter()):
        for child in list(parent):
            old = child.attrib.pop("id", None)
            if old is None or old.encode() not in used:
                continue
            content = ElementTree.tostring(child)
            if content in defined:
                parent.remove(child)
            else:
                defined[content] = f"d{len(defined)}"
                child.set("id", defined[content])
            names[old] = defined[content]
        for child in parent.findall(SVG + "defs"):
            if not len(child):
                parent.remove(child)
    root.attrib.pop("id", None)
    return names


def _short(text: str) -> str:
    """Numbers with at most two digits after the point."""
    return LONG.sub(lambda m: _number(round(100.0 * float(m[0]))), text)


def _steps(path: str) -> str:
    """A path by its steps instead of its places, in hundredths of a point, as short as it can be written.

    >>> _steps("M 10.004 20 L 12.5 20 L 12.5 19.25 z")
    'M10 20l2.5 0 0-.75z'
    """
    parts = re.findall(r"([A-Za-z])([^A-Za-z]*)", path)
    if any(len(places.split()) != SIZES.get(letter) for letter, places in parts):
        return path
    written, here, start, last = [], (0, 0), (0, 0), ""
    for letter, places in parts:
        numbers = [round(100.0 * float(number)) for number in places.split()]
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        if letter == "M":
            step, here, start = "M", pairs[0], pairs[0]
        elif not pairs:
            step, here = "z", start
        else:
            numbers = [value - here[i % 2] for i, value in enumerate(numbers)]
            step, here = letter.lower(), pairs[-1]
        text = re.sub(r" (?=-)", "", " ".join(map(_number, numbers)))
        apart = "" if text.startswith("-") else " "
        written.append(apart + text if step == last and step != "M" else step + text)
        last = step
    return "".join(written)


def _number(hundredths: int) -> str:
    """A number without what needs not be written: 0.5 is .5."""
    return re.sub(r"^(-?)0(?=\.)", r"\1", f"{hundredths / 100:.2f}".rstrip("0").rstrip("."))
