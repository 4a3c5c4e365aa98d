"""Colours that colour-blind readers can tell apart, with 3:1 contrast on white and on near-black.

From Okabe and Ito's palette; its lighter members are darkened to keep the contrast on white.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BLUE", "GREEN", "GREY", "INK", "OCHRE", "OUTCOMES", "PURPLE", "VERMILION"]

INK = "#191d22"
"""Text and axes; becomes the page's text colour in SVG, so nothing else may have it."""

BLUE = "#0072b2"
VERMILION = "#d55e00"
GREEN = "#00875f"
PURPLE = "#b0609a"
OCHRE = "#a87900"
GREY = "#7b828a"

OUTCOMES: Mapping[str, tuple[str, str]] = {
    "success": (BLUE, "o"),
    "invalid": (PURPLE, "D"),
    "client error": (OCHRE, "s"),
    "throttled": (OCHRE, "v"),
    "server error": (VERMILION, "X"),
    "timeout": (PURPLE, "^"),
    "connection error": (VERMILION, "P"),
    "other": (GREY, "s"),
    "dropped": (GREY, "v"),
    "cancelled": (GREY, "X"),
}
"""Colour and marker of each outcome: never the colour alone."""
