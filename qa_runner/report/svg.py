"""Matplotlib's SVG, made fit to stand inside a page.

The page may be shown under a content security policy that forbids inline styles, in light or dark,
next to other figures: so ``style`` attributes become presentation attributes, the ink becomes
``currentColor``, ids carry the figure's name, and what repeats is merged, since a scatter of
thousands of points would otherwise be most of the page.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import groupby

from qa_runner.report.charts.palette import INK

__all__ = ["inline"]

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"(?:(?:italic|oblique)\s+)?(?:(\d{3}|bold)\s+)?([\d.]+)px\s")
_FEW_MARKERS = 20
_SERIES = re.compile(r"series (\d+) (.*)", re.DOTALL)
_DROPPED = {"stroke-miterlimit", "font-family", "text-orientation"}
_COORDINATES = {"d", "x", "y", "width", "height", "transform"}
_DEFAULTS = {"stroke-linejoin": "round", "stroke-linecap": "butt"}


def inline(data: bytes, name: str, title: str, description: str, *, axes: str = "") -> str:
    """The ``<svg>`` element for a figure ``name``, scaled by its viewBox, without a style.

    Ids like "series 0 success" become attributes that name the axes, by their place in ``axes``,
    and what is drawn in them; a script reads values off them.
    """
    root = ET.fromstring(data)  # noqa: S314 (matplotlib has just written it)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
    _remove(root, {"metadata", "style"})
    for element in root.iter():
        _restyle(element)
        if _HREF in element.attrib:
            element.set("href", element.attrib.pop(_HREF))
    markers = {path.get("id"): path for path in root.iter("path") if path.get("id")}
    for group in root.iter():
        _merge(group, markers)
    _rename(root, name)
    _unwrap(root)
    return _finish(root, name, title, description, axes)


def _remove(root: ET.Element, tags: set[str]) -> None:
    for parent in root.iter():
        for child in list(parent):
            if child.tag in tags:
                parent.remove(child)


def _restyle(element: ET.Element) -> None:
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = (held.strip() for held in declaration.partition(":"))
        if key == "font":
            _set_font(element, value)
        elif key and key not in _DROPPED:
            element.set(key, value)
    for key, value in list(element.attrib.items()):
        if value.lower() == INK:
            element.set(key, "currentColor")
        elif key in _COORDINATES:
            element.set(key, " ".join(_NUMBER.sub(_rounded, value).split()))


def _set_font(element: ET.Element, value: str) -> None:
    match = _FONT.match(value)
    if match:
        element.set("font-size", match[2])
        if match[1]:
            element.set("font-weight", match[1])


def _rounded(match: re.Match[str]) -> str:
    text = f"{float(match[0]):.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"


def _merge(group: ET.Element, markers: dict[str | None, ET.Element]) -> None:
    """Join neighbours that look alike into one path each."""
    merged: list[ET.Element] = []
    for _, alike in groupby(list(group), _look):
        listed = list(alike)
        first = listed[0]
        if first.tag == "use":
            merged += _stamped(listed, markers[first.get("href", "")[1:]])
        elif len(listed) == 1 or first.tag != "path" or first.get("id"):
            merged += listed
        else:
            first.set("d", " ".join(path.get("d", "") for path in listed))
            merged.append(first)
    group[:] = merged


def _look(element: ET.Element) -> tuple[object, ...]:
    varying = {"use": ("x", "y"), "path": ("d",)}.get(element.tag, ())
    kept = sorted(item for item in element.attrib.items() if item[0] not in varying)
    # Anything else is never alike, not even to its equal.
    return (element.tag, *kept) if varying else (id(element),)


def _stamped(uses: list[ET.Element], marker: ET.Element) -> list[ET.Element]:
    """One path in place of many uses of a marker, with what it refers to."""
    shape = marker.get("d", "")
    style = {
        key: value
        for source in (marker, uses[0])
        for key, value in source.attrib.items()
        if key not in ("id", "d", "href", "x", "y")
    }
    places = [(float(use.get("x", "0")), float(use.get("y", "0"))) for use in uses]
    if "C" in shape:  # a round marker: a dot is a line of no length with a round cap
        style["stroke-width"] = f"{2 * max(float(found) for found in _numbers(shape)):g}"
        style["stroke"] = style.pop("fill", "currentColor")
        if "fill-opacity" in style:
            style["stroke-opacity"] = style.pop("fill-opacity")
        style |= {"fill": "none", "stroke-linecap": "round"}
        drawn = "".join(f"M{x:g} {y:g}h0" for x, y in places)
    elif len(uses) <= _FEW_MARKERS:
        drawn = "".join(_moved(shape, x, y) for x, y in places)
        # Each marker stands for the point in its middle.
        style["data-marks"] = ""
    else:
        return _pinned(shape, places, style)
    return [ET.Element("path", {"d": drawn, **style})]


def _pinned(
    shape: str, places: list[tuple[float, float]], style: dict[str, str]
) -> list[ET.Element]:
    """A line that is not seen, with the marker at each of its points: 12 bytes for each."""
    definition = ET.Element("marker", {"overflow": "visible", "markerUnits": "userSpaceOnUse"})
    # It only has to be the only one of its name until it gets another.
    definition.set("id", f"marker-{id(definition)}")
    clip = {"clip-path": style.pop("clip-path")} if "clip-path" in style else {}
    ET.SubElement(definition, "path", {"d": shape, **style})
    drawn = "M" + "L".join(f"{x:g} {y:g}" for x, y in places)
    at = {f"marker-{where}": f"url(#{definition.get('id')})" for where in ("start", "mid", "end")}
    return [definition, ET.Element("path", {"d": drawn, "fill": "none", **at, **clip})]


def _numbers(shape: str) -> list[str]:
    return re.findall(r"-?\d+(?:\.\d+)?", shape)


def _moved(shape: str, x: float, y: float) -> str:
    offset = {True: x, False: y}
    across = True

    def move(match: re.Match[str]) -> str:
        nonlocal across
        text = f"{float(match[0]) + offset[across]:.1f}".removesuffix(".0")
        across = not across
        return text

    return re.sub(r"-?\d+(?:\.\d+)?", move, shape)


def _rename(root: ET.Element, name: str) -> None:
    used = [
        reference
        for element in root.iter()
        for value in element.attrib.values()
        for reference in (*_REFERENCE.findall(value), *re.findall(r"^#(.+)", value))
    ]
    for parent in root.iter("defs"):
        parent[:] = [held for held in parent if held.get("id") in used or held.tag != "path"]
    # By first use: matplotlib's own ids hash memory addresses in places.
    renamed = {old: f"{name}-{index}" for index, old in enumerate(dict.fromkeys(used))}
    for element in root.iter():
        identifier = element.get("id")
        series = _SERIES.match(identifier or "")
        if series:
            element.set("data-axes", series[1])
            element.set("data-series", series[2])
        if identifier in renamed:
            element.set("id", renamed[identifier])
        elif identifier:
            del element.attrib["id"]
        for key, value in list(element.attrib.items()):
            if key == "href":
                element.set(key, "#" + renamed[value[1:]])
            elif "url(#" in value:
                element.set(key, _REFERENCE.sub(lambda ref: f"url(#{renamed[ref[1]]})", value))


def _unwrap(parent: ET.Element) -> None:
    """Put what is in groups that say nothing in their places: half of a figure's elements."""
    held: list[ET.Element] = []
    for child in parent:
        _unwrap(child)
        held += list(child) if child.tag == "g" and not child.attrib else [child]
    parent[:] = held


def _finish(root: ET.Element, name: str, title: str, description: str, axes: str) -> str:
    box = root.get("viewBox", "")
    root.attrib.clear()
    root.attrib |= {
        "viewBox": box,
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
        "font-family": _FONTS,
        **_DEFAULTS,
        **({"data-axes": axes} if axes else {}),
    }
    for tag, text in (("desc", description), ("title", title)):
        element = ET.Element(tag, {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(0, element)
    for element in root.iter():
        if not (element.text or "").strip():
            element.text = None
        element.tail = None
    return ET.tostring(root, encoding="unicode", short_empty_elements=True)
