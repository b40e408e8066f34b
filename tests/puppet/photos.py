"""Photos with clear licences, out of the scikit-image package, and what can be made of them.

`astronaut`: Eileen Collins, NASA, public domain. `chelsea`: a cat, Stefan van der Walt, CC0.
`coffee`: Rachel Michetti, CC0. `rocket`: SpaceX, public domain.
"""

from pathlib import Path

import skimage
from PIL import Image, ImageOps

_DATA = Path(skimage.__file__).parent / "data"


def astronaut() -> Image.Image:
    """One person, half body, smiling; 512 x 512."""
    return Image.open(_DATA / "astronaut.png").convert("RGB")


def cat() -> Image.Image:
    """Nobody: an animal's face, close up; 451 x 300."""
    return Image.open(_DATA / "chelsea.png").convert("RGB")


def coffee() -> Image.Image:
    """Nobody: a cup on a table; 600 x 400."""
    return Image.open(_DATA / "coffee.png").convert("RGB")


def rocket() -> Image.Image:
    """Nobody: a rocket on its pad at night; 640 x 427."""
    return Image.open(_DATA / "rocket.jpg").convert("RGB")


def pair() -> Image.Image:
    """Two people side by side: the astronaut and her mirror image, their arms touching."""
    one = astronaut().crop((0, 0, 400, 512))
    both = Image.new("RGB", (800, 512))
    both.paste(one, (0, 0))
    both.paste(ImageOps.mirror(one), (400, 0))
    return both


def apart() -> Image.Image:
    """The same two, with a third person's room between them."""
    wide = Image.new("RGB", (1200, 512), (200, 196, 200))
    both = pair()
    wide.paste(both.crop((0, 0, 400, 512)), (0, 0))
    wide.paste(both.crop((400, 0, 800, 512)), (800, 0))
    return wide


def three() -> Image.Image:
    """Three in a row, their arms touching."""
    one = astronaut().crop((0, 0, 360, 420))
    row = Image.new("RGB", (1080, 420))
    row.paste(one, (0, 0))
    row.paste(ImageOps.mirror(one), (360, 0))
    row.paste(one, (720, 0))
    return row


def crowd() -> Image.Image:
    """Ten people in two rows."""
    one = astronaut().crop((60, 0, 360, 300))
    many = Image.new("RGB", (1500, 600))
    for place in range(10):
        many.paste(one, (place % 5 * 300, place // 5 * 300))
    return many
