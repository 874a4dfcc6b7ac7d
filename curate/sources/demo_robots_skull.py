"""Outlines of the heads of the robots demo, and where on a turned head a place of its face is.

A head is turned by moving what is on its face as on a cylinder, so that eyes and mouth foreshorten. Units: half
a head's height, y down.
"""

from collections.abc import Callable, Mapping

import numpy as np

from curate.sources.demo_pen import Points, rounded
from curate.sources.demo_robots_clay import Clay, Paint, both, squared
from curate.sources.demo_robots_look import Look

Part = Callable[[Clay, Look], None]  # draws one part of a figure
DARK = Paint((46, 48, 56), "metal")
STEEL = Paint((196, 202, 212), "metal")
RUBBER = Paint((58, 60, 68), "matt")
HOLE = Paint((26, 26, 32), "matt")

SKULLS: Mapping[str, Points] = {
    "round": squared(1.0, 1.0, 2.15),
    "boxy": squared(0.94, 0.92, 6.5),
    "tall": squared(0.72, 1.08, 3.6),
    "domed": rounded(both([[0.3, -1.0], [0.82, -0.72], [1.02, -0.1], [1.0, 0.78], [0.9, 0.95]])),
    "bell-shaped": rounded(both([[0.2, -1.12], [0.5, -0.86], [0.62, -0.2], [1.06, 0.78], [0.92, 0.98]])),
    "six-sided": rounded(both([[0.5, -0.98], [0.66, -0.9], [1.1, 0.0], [1.02, 0.12], [0.56, 0.95]])),
    "wedge-shaped": rounded(both([[1.0, -0.95], [1.14, -0.86], [1.05, -0.2], [0.58, 0.98], [0.4, 1.02]])),
    "flat": squared(1.42, 0.74, 2.7),
    "narrow": rounded(
        both([[0.2, -1.06], [0.6, -0.92], [0.76, -0.4], [0.68, 0.3], [0.42, 0.92], [0.16, 1.06]])
    ),
    "square-jawed": rounded(
        both([[0.3, -1.0], [0.72, -0.86], [0.84, -0.3], [0.78, 0.52], [0.52, 0.98], [0.2, 1.04]])
    ),
    "oval": rounded(
        both([[0.3, -1.04], [0.74, -0.84], [0.86, -0.2], [0.74, 0.46], [0.4, 0.98], [0.14, 1.04]])
    ),
    "egg-shaped": rounded(
        both([[0.4, -1.15], [0.98, -0.86], [1.1, -0.2], [0.7, 0.5], [0.28, 1.0], [0.1, 1.06]])
    ),
    "pear-shaped": rounded(
        both([[0.2, -1.15], [0.56, -0.98], [0.64, -0.3], [1.06, 0.3], [0.92, 0.86], [0.3, 1.02]])
    ),
    "high-domed": rounded(
        both([[0.3, -1.5], [0.82, -1.2], [0.9, -0.4], [0.74, 0.4], [0.5, 0.9], [0.2, 1.0]])
    ),
    "rounded": rounded(
        both([[0.3, -1.06], [0.86, -0.8], [0.98, -0.1], [0.9, 0.6], [0.5, 1.02], [0.2, 1.08]])
    ),
    "angular": rounded(
        both([[0.16, -1.15], [0.76, -0.86], [0.98, 0.06], [0.74, 0.72], [0.3, 1.12], [0.26, 1.14]])
    ),
}


def half_width(look: Look, y: float | None = None) -> float:
    """Of the skull where it is widest, or at a height."""
    outline = SKULLS[look.head]
    if y is None:
        return float(outline[:, 0].max())
    right = outline[outline[:, 0] > 0]
    right = right[np.argsort(right[:, 1], kind="stable")]
    return float(np.interp(y, right[:, 1], right[:, 0]))


def faced(look: Look, points: Points, wide: float | None = None) -> Points:
    """Points of a face seen from the front, on the head as it is turned; `wide` where it is narrower."""
    radius = 1.02 * (wide or half_width(look))
    angle = np.arcsin(np.clip(points[:, 0] / radius, -1, 1))
    turned = np.clip(angle + np.radians(look.turn), -np.pi / 2, np.pi / 2)
    return np.stack([radius * np.sin(turned), points[:, 1]], axis=1)


def no_part(clay: Clay, look: Look) -> None:
    """Draws nothing."""
