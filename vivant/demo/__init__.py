"""A photo to try things on: Eileen Collins, NASA astronaut, official portrait.

Public domain (NASA, Great Images in NASA); as carried by the Python package scikit-image, saved
as JPEG. NASA does not endorse this project, and neither does Eileen Collins.
"""

from importlib.resources import files
from pathlib import Path
from typing import Final

PHOTO: Final = Path(str(files("vivant.demo") / "eileen-collins.jpg"))
WORDS: Final = "a happy smile"
