"""The engine that a laptop runs: one photo in, a lazy row of frames out."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from PIL import Image, ImageOps

from vivant.clips import ClipSettings, EngineProfile, FailureReason, Note
from vivant.director.look.arrays import Picture
from vivant.director.look.people import PeopleFinder
from vivant.director.plan import Action
from vivant.engine import Frames, OnStep, Shot
from vivant.engine.puppet.actors import LARGEST_CAST, Actor, cast
from vivant.engine.puppet.body import Body
from vivant.engine.puppet.camera import Camera, focus_of
from vivant.engine.puppet.elbows import Elbow
from vivant.engine.puppet.layers import layered
from vivant.engine.puppet.parts import Part
from vivant.engine.puppet.performance import CAMERA, Performance
from vivant.engine.puppet.scenery import Scenery
from vivant.engine.puppet.stage import Puppet, Stage
from vivant.errors import RenderError

PROFILE = EngineProfile(
    name="puppet",
    frame_rate=24,
    default_num_frames=84,
    max_num_frames=240,
    size_multiple=2,
    area=420_000,
)

#: Moments of a clip at which its motion is measured before anything is drawn.
_LOOKS_AHEAD = 24

#: How far the camera comes nearer by itself: less where people move.
_WITH_PEOPLE, _ALONE = 0.035, 0.10


class PuppetEngine:
    """Finds the people in a photo and makes them act. Loads 12 MB of networks, once."""

    def __init__(self, models_dir: Path) -> None:
        """*models_dir*: where `vivant.director.look.models.fetch` put the networks."""
        self._models_dir = models_dir
        self._people: PeopleFinder | None = None

    @property
    def profile(self) -> EngineProfile:
        """What it can make."""
        return PROFILE

    def setup(self) -> None:
        """Load the networks. Raises `ModelsMissing` when they were not fetched."""
        self._eyes()

    def render(self, shot: Shot, on_step: OnStep) -> Frames:
        """Bring the photo to life; each frame is drawn when it is pulled, and then reported.

        Any number of renders may run at once, each on its own thread. Raises `RenderError`
        when OpenCV cannot do it; `RenderStopped`, from *on_step*, comes out of the pulling.
        """
        settings = shot.settings
        try:
            picture = fitted(shot.photo, settings)
            people = self._eyes().find(picture)
            size = (settings.width, settings.height)
            actors = cast(people, *size)
            if actors:
                scene: _Scene = _People(shot, picture, actors)
            else:
                scene = _Nobody(shot, picture)
        except (cv2.error, MemoryError) as exc:
            raise RenderError(FailureReason.RENDER_FAILED) from exc
        notes = scene.notes
        if len(people) > LARGEST_CAST:
            notes = (*notes, Note.CROWD)
        return Frames(
            pictures=_drawn(scene, settings, on_step),
            width=settings.width,
            height=settings.height,
            num_frames=settings.num_frames,
            frame_rate=settings.frame_rate,
            notes=notes,
        )

    def close(self) -> None:
        """Let go of the networks."""
        self._people = None

    def _eyes(self) -> PeopleFinder:
        if self._people is None:
            self._people = PeopleFinder(self._models_dir)
        return self._people


def fitted(photo: Image.Image, settings: ClipSettings) -> Picture:
    """*photo* at the clip's size: cropped as little as possible, never stretched."""
    size = (settings.width, settings.height)
    return np.array(ImageOps.fit(photo.convert("RGB"), size, Image.Resampling.LANCZOS))


def _drawn(scene: "_Scene", settings: ClipSettings, on_step: OnStep) -> Iterator[Picture]:
    for index in range(settings.num_frames):
        try:
            frame = scene.frame(index / settings.frame_rate)
        except (cv2.error, MemoryError) as exc:
            raise RenderError(FailureReason.RENDER_FAILED) from exc
        on_step(index + 1, settings.num_frames)
        yield frame


class _Scene(Protocol):
    """One clip to be drawn."""

    notes: tuple[Note, ...]

    def frame(self, time_s: float) -> Picture:
        """One frame, RGB."""
        ...


class _Nobody:
    """Only the camera moves."""

    def __init__(self, shot: Shot, picture: Picture) -> None:
        self._scenery = Scenery(picture)
        self._camera = _camera(shot, [])
        asked = {beat.action for beat in shot.plan.beats} - CAMERA
        self.notes: tuple[Note, ...] = ()
        if asked - {Action.IDLE}:
            self.notes = (Note.NOBODY_FOUND,)
        elif asked:
            self.notes = (Note.CALM_INSTEAD,)

    def frame(self, time_s: float) -> Picture:
        return self._scenery.frame(self._camera.at(time_s))


class _People:
    """People act, and the camera comes a little nearer."""

    def __init__(self, shot: Shot, picture: Picture, actors: Sequence[Actor]) -> None:
        settings = shot.settings
        size = (settings.width, settings.height)
        self._performance = Performance(shot.plan, actors, settings, settings.width)
        self._camera = _camera(shot, actors)
        self._actors = range(len(actors))
        rehearsals = [_Rehearsal(self._performance, index, actors[index]) for index in self._actors]
        layers = layered(picture, actors, [rehearsal.moves for rehearsal in rehearsals])
        puppets = [
            Puppet(actor, rehearsal.body, cutout, rehearsal.elbows, winking)
            for actor, rehearsal, cutout, winking in zip(
                actors, rehearsals, layers.cutouts, self._performance.winking, strict=True
            )
        ]
        self._stage = Stage(layers, puppets, size)
        self.notes: tuple[Note, ...] = tuple(self._performance.notes)

    def frame(self, time_s: float) -> Picture:
        gestures = [self._performance.gesture(actor, time_s) for actor in self._actors]
        return self._stage.frame(gestures, self._camera.at(time_s))


class _Rehearsal:
    """How one actor will move, found out before anything is cut or drawn."""

    def __init__(self, performance: Performance, index: int, actor: Actor) -> None:
        ahead = np.linspace(0, performance.duration_s, _LOOKS_AHEAD).tolist()
        gestures = [performance.gesture(index, at) for at in ahead]
        shape = actor.mask.shape
        self.body = Body(actor, shape[1], shape[0])
        self.body.settle(gestures)
        self.elbows: list[Elbow] = []
        if performance.uses(index, Part.CURL, Part.WAVE):
            self.elbows = [
                Elbow(arm, arm.forearm, shape)
                for arm in actor.arms
                if arm.forearm is not None and arm.forearm.free
            ]
        #: How far each of its pixels ever gets.
        self.moves = np.maximum.reduce(
            [self.body.farthest(gestures, shape), *(elbow.leaves() for elbow in self.elbows)]
        )


def _camera(shot: Shot, actors: Sequence[Actor]) -> Camera:
    settings = shot.settings
    size = (settings.width, settings.height)
    return Camera(
        [beat for beat in shot.plan.beats if beat.action in CAMERA],
        size,
        focus_of([actor.face_centre for actor in actors], size),
        settings.num_frames / settings.frame_rate,
        strength=settings.strength,
        loop=settings.loop,
        calm_zoom=_WITH_PEOPLE if actors else _ALONE,
    )
