"""Runs the networks; the one place that imports ai-edge-litert."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from vivant.director.look import models
from vivant.director.look.arrays import Tensor


@contextmanager
def _hushed() -> Generator[None]:
    """Keep the library's line about its delegate, which no setting silences, off the terminal."""
    stderr = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


class Net:
    """One network, ready to run; two threads may ask, one is served at a time."""

    def __init__(self, path: Path) -> None:
        # One thread each: the calls are too small to share out, and a forked child that
        # only looks at one photo should not start any.
        self._interpreter = Interpreter(str(path), num_threads=1)
        with _hushed():
            self._interpreter.allocate_tensors()
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        self._outputs: list[int] = [d["index"] for d in self._interpreter.get_output_details()]
        self._turn = Lock()

    def __call__(self, pixels: Tensor) -> list[Tensor]:
        """All outputs for *pixels* (height x width x 3), copied out of the network's memory."""
        with self._turn:
            self._interpreter.set_tensor(
                self._input, np.ascontiguousarray(pixels[None], np.float32)
            )
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index).copy() for index in self._outputs]


class Nets:
    """The six networks, loaded once.

    Raises `ModelsMissing` when one is not there; what lies there was checked when it was fetched.
    """

    def __init__(self, models_dir: Path) -> None:
        absent = [name for name in models.SHA256 if not (models_dir / name).is_file()]
        if absent:
            raise models.ModelsMissing(
                f"{', '.join(absent)} not in {models_dir}: run `vivant engine download puppet`"
            )
        self.faces_near = Net(models_dir / models.FACES_NEAR)
        self.faces_far = Net(models_dir / models.FACES_FAR)
        self.face_mesh = Net(models_dir / models.FACE_MESH)
        self.poses = Net(models_dir / models.POSES)
        self.pose_points = Net(models_dir / models.POSE_POINTS)
        self.silhouettes = Net(models_dir / models.SILHOUETTES)


def sigmoid(x: Tensor) -> Tensor:
    """The usual squashing to 0..1, safe for any size of number."""
    squashed: Tensor = 1 / (1 + np.exp(-np.clip(x, -80, 80)))
    return squashed
