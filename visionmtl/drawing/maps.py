"""Maps drawn over a picture: masks of classes, and depth."""

import numpy as np
from matplotlib import colormaps
from PIL import Image, ImageChops

from visionmtl.drawing.colours import INK, Colours

NO_CLASS = 255  # the last place of a palette, of which it takes one for each class of a mask of 8 bits
CONTRAST, MIDDLE = 0.7, 128  # of the photograph beneath a tint, and the grey that is as bright as the class's colour
STEPS = 5  # of depth that a key explains
BRIGHTNESS = (0.299, 0.587, 0.114)  # of red, green and blue


def masks(image: np.ndarray, classes: np.ndarray, colours: Colours, opacity: float = 0.55) -> np.ndarray:
    """Tint each pixel with the colour of its class, and trace where classes meet.

    Beneath the tint the photograph is grey, and as bright as the colour of the class: hue and brightness are that of
    the class whatever colour the object itself has, and a dark house in pale blue is no tree in dark blue.

    Args:
        image: uint8 `[H, W, 3]`.
        classes: int `[H, W]`; a pixel of no class (255 = ignore), or of one without a colour, keeps the photograph.
        colours: of the classes, as from `colours`.
        opacity: of the tint, 0 to 1.
    """
    painted = [*colours.values(), *[None] * (NO_CLASS + 1 - len(colours))]
    ids = np.where((classes >= 0) & (classes < len(colours)), classes, NO_CLASS).astype(np.uint8)
    edge, line = np.zeros(ids.shape, bool), max(1, round(min(ids.shape) / 400))  # a large picture is seen from afar
    edge[:, line:] = ids[:, line:] != ids[:, :-line]
    edge[line:] |= ids[line:] != ids[:-line]
    tint = Image.fromarray(ids)
    veil, edges = (
        tint.point([round(255 * strength) if colour else 0 for colour in painted])
        for strength in (opacity, min(1.0, opacity + 0.4))
    )
    veil.paste(edges, mask=Image.fromarray(edge))
    photograph, under = Image.fromarray(image), tint.point([255 if colour else 0 for colour in painted])
    bright = tint.point([round(float(np.dot(colour or INK, BRIGHTNESS))) for colour in painted])
    detail = photograph.convert("L").point([round(CONTRAST * grey) for grey in range(256)])
    grey = ImageChops.add(detail, bright, offset=-round(CONTRAST * MIDDLE))
    photograph.paste(grey.convert("RGB"), mask=under)
    tint.putpalette(bytes(tone for colour in painted for tone in colour or INK))
    return np.asarray(Image.composite(tint.convert("RGB"), photograph, veil))


def depth(image: np.ndarray, metres: np.ndarray, farthest: float, opacity: float = 0.8) -> np.ndarray:
    """Colour each pixel by its depth, from yellow at 0 to dark blue at `farthest`; `depth_key` says which is which.

    Args:
        image: uint8 `[H, W, 3]`.
        metres: float `[H, W]`; a pixel of unknown depth (0 or NaN) keeps the photograph.
        farthest: metres at the end of the scale, and beyond.
        opacity: of the colours, 0 to 1.
    """
    known = np.isfinite(metres) & (metres > 0)
    nearness = 1 - np.clip(np.where(known, metres, 0) / farthest, 0, 1)
    strength = opacity * known[..., None]
    return (image * (1 - strength) + _nearness(nearness) * strength + 0.5).astype(np.uint8)


def depth_key(farthest: float) -> Colours:
    """Return the colours of some depths, as a legend has them.

    Example:
        >>> list(depth_key(10.0))
        ['0 m', '2.5 m', '5 m', '7.5 m', '10 m and beyond']
    """
    parts = np.linspace(0, 1, STEPS)
    names = [*(f"{part * farthest:g} m" for part in parts[:-1]), f"{farthest:g} m and beyond"]
    return dict(zip(names, map(tuple, _nearness(1 - parts).round().astype(int).tolist()), strict=True))


def _nearness(nearness: np.ndarray) -> np.ndarray:
    """Return colours `[..., 3]`, 0..255, that grow lighter with nearness in 0..1, for all kinds of colour vision."""
    return 255 * colormaps["viridis"](nearness)[..., :3]
