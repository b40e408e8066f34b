"""The GPU engine as its worker sees it: one preset on one card, or a plain directory.

Turns a shot into orders for the worker process, and what comes back into frames: words into a
prompt, the photo into the clip's size, short memory into a smaller clip, a broken clip into
one more try. Never imports torch.
"""

import logging
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from vivant.clips import ClipSettings, EngineProfile, FailureReason, Note
from vivant.engine import Frames, OnStep, Shot
from vivant.engine.diffusion import cards, gates, prompts
from vivant.engine.diffusion.download import is_present
from vivant.engine.diffusion.host import ChildGone, Host, Post
from vivant.engine.diffusion.ladder import Ladder
from vivant.engine.diffusion.preset import (
    Preset,
    check_accepted,
    file_of,
    folder_of,
    named,
    of_directory,
)
from vivant.engine.diffusion.wire import Ready, Render, Take, Trouble
from vivant.errors import RenderError, SettingsError

logger = logging.getLogger(__name__)

#: Where a photo is cut when it must be, from the left and from the top: heads are up.
_CENTRE = (0.5, 0.35)


class DiffusionEngine:
    """Renders in a worker process, on the card and from the weights that *post* names.

    An `Engine`; `setup` raises `SettingsError` when the weights cannot be used.
    """

    def __init__(self, preset: Preset, post: Post) -> None:
        self._preset = preset
        self._profile = preset.profile
        self._host = Host(post)
        self._limits = post.models / "limits"
        # What compiles for the first time is silent for minutes.
        self._warm_up_limit_s = post.load_limit_s
        self._ladder = Ladder()

    @property
    def profile(self) -> EngineProfile:
        """What it can make; a plain directory's is only whole after `setup`."""
        return self._profile

    @property
    def pid(self) -> int | None:
        """Of the worker process, while there is one."""
        return self._host.pid

    def setup(self) -> None:
        """Load the weights, and render every bucket once where the preset asks for it."""
        try:
            ready = self._host.start()
        except Trouble as exc:
            raise SettingsError(f"{self._preset.name}: {exc}") from exc
        except ChildGone as exc:
            raise SettingsError(f"{self._preset.name} ended while it loaded: {exc}") from exc
        self._profile = filled(self._preset.profile, ready)
        place = re.sub(r"[^\w.]+", "-", f"{self._preset.name} {ready.made_on}")
        self._ladder = Ladder(self._limits / f"{place}.json")
        if self._preset.weights.repo and self._profile != self._preset.profile:
            # Bots snapped wishes to it, and people were promised what it says.
            raise SettingsError(
                f"{self._preset.name}: the preset says {self._preset.profile}, "
                f"the weights say {self._profile}"
            )
        if self._preset.speed.warm_up:
            self._warm_up()

    def render(self, shot: Shot, on_step: OnStep) -> Frames:
        """Bring the photo to life; a clip that fails the gates gets one more try."""
        prompt = prompts.written(
            shot.plan,
            shot.sight,
            self._preset.prompting,
            strength=shot.settings.strength,
            has_sound=self._profile.has_sound,
        )
        for seed in (shot.settings.seed, shot.settings.seed + 1):
            settings = replace(self._half(shot.settings), seed=seed)
            take = self._take(prompt, self._photos(shot), settings, on_step)
            failures = self._failures(take, shot.photo)
            if not failures:
                return self._frames(take, shot.settings)
            logger.warning("the clip was rejected", extra={"failed": failures})
        raise RenderError(FailureReason.CLIP_REJECTED)

    def close(self) -> None:
        """End the worker process; a render that still runs ends with a `RenderError`."""
        self._host.close()

    def _take(
        self,
        prompt: str,
        photos: list[Image.Image],
        settings: ClipSettings,
        on_step: OnStep,
        limit_s: float | None = None,
    ) -> Take:
        """Have it made, by asking for less as long as memory is short."""
        try:
            for rung in self._ladder.rungs(settings, self._profile):
                size = (rung.width, rung.height)
                order = Render(
                    prompt=prompt,
                    negative_prompt=self._preset.prompting.negative,
                    seed=rung.seed,
                    width=rung.width,
                    height=rung.height,
                    num_frames=rung.num_frames,
                    frame_rate=rung.frame_rate,
                    photos=len(photos),
                )
                try:
                    fitted = [_fit(each, size) for each in photos]
                    return self._host.render(order, fitted, on_step, limit_s=limit_s)
                except Trouble as exc:
                    if exc.failed.kind != "memory":
                        raise
                    logger.warning("out of memory", extra={"size": size, "of": rung.num_frames})
        except Trouble as exc:
            gone = exc.failed.kind != "error"
            raise RenderError(FailureReason.RENDER_FAILED, transient=gone) from exc
        except ChildGone as exc:
            raise RenderError(FailureReason.RENDER_FAILED, transient=True) from exc
        raise RenderError(FailureReason.OUT_OF_MEMORY)

    def _photos(self, shot: Shot) -> list[Image.Image]:
        if not self._profile.takes_last_photo:
            return [shot.photo]
        if shot.settings.loop:
            return [shot.photo, shot.photo]
        return [shot.photo] if shot.last_photo is None else [shot.photo, shot.last_photo]

    def _is_mirrored(self, settings: ClipSettings) -> bool:
        """Whether a loop is played there and back: nothing else leads it to its beginning."""
        return settings.loop and not self._profile.takes_last_photo

    def _half(self, settings: ClipSettings) -> ClipSettings:
        if not self._is_mirrored(settings):
            return settings
        stride = self._profile.frame_stride
        half = max(stride + 1, settings.num_frames // 2 // stride * stride + 1)
        return replace(settings, num_frames=half)

    def _failures(self, take: Take, photo: Image.Image) -> tuple[str, ...]:
        frames, height, width, _ = take.pictures.shape
        if frames < gates.LEAST_FRAMES:
            return ()
        photo = _fit(photo, (width, height))
        return gates.failed(gates.Footage(take.pictures, photo), self._preset.gates)

    def _frames(self, take: Take, asked: ClipSettings) -> Frames:
        pictures, sound = take.pictures, take.sound
        frames, height, width, _ = pictures.shape
        notes = []
        if frames < self._half(asked).num_frames:
            notes.append(Note.FEWER_FRAMES)
        if width * height < asked.width * asked.height:
            notes.append(Note.SMALLER_PICTURE)
        if self._is_mirrored(asked):
            pictures, sound = np.concatenate([pictures, pictures[-2:0:-1]]), None
        return Frames(
            pictures=pictures,
            width=width,
            height=height,
            num_frames=len(pictures),
            frame_rate=asked.frame_rate,
            sound=sound,
            notes=tuple(notes),
        )

    def _warm_up(self) -> None:
        """Let every bucket compile, and find its place on the ladder, before anyone waits."""
        for width, height in self._profile.buckets:
            settings = ClipSettings(
                width=width,
                height=height,
                num_frames=self._profile.default_num_frames,
                frame_rate=self._profile.frame_rate,
            )
            photo = Image.new("RGB", (width, height), (128, 128, 128))
            try:
                self._take("A calm day.", [photo], settings, lambda *_: None, self._warm_up_limit_s)
            except RenderError as exc:
                if exc.reason is not FailureReason.OUT_OF_MEMORY:
                    raise SettingsError(f"{self._preset.name} does not render: {exc}") from exc
                logger.warning("a bucket is too large", extra={"size": (width, height)})


def filled(profile: EngineProfile, ready: Ready) -> EngineProfile:
    """Read from the loaded pipeline what the preset leaves open."""
    return replace(
        profile,
        frame_rate=ready.frame_rate,
        default_num_frames=profile.default_num_frames or ready.num_frames,
        max_num_frames=profile.max_num_frames or ready.num_frames,
        frame_stride=ready.frame_stride,
        size_multiple=ready.size_multiple,
        buckets=profile.buckets or tuple((width, height) for width, height in ready.sizes),
        has_sound=ready.has_sound,
        takes_last_photo=ready.takes_last_photo,
    )


def _fit(photo: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Cut as little as possible, and never stretch."""
    return ImageOps.fit(photo.convert("RGB"), size, Image.Resampling.LANCZOS, centering=_CENTRE)


def open_engine(
    which: str, *, models_dir: Path, device: str, accepted: frozenset[str] = frozenset()
) -> DiffusionEngine:
    """Open a preset by its name, or a plain diffusers directory by its path.

    *device* is one of `cards.devices`; *accepted* names the presets whose licence the operator
    took. Nothing is loaded before `setup`. Raises `SettingsError` that says how to mend it.
    """
    card = cards.card(device)
    visible = device if card is None else card.uuid
    folder = Path(which)
    if folder.is_dir():
        post = Post(folder=folder.resolve(), models=models_dir, device=visible)
        return DiffusionEngine(of_directory(folder.resolve()), post)
    preset = named(which)
    check_accepted(preset, accepted)
    if card is not None and preset.placement_on(card.memory_gb) is None:
        raise SettingsError(
            f"{which} needs a card of {preset.needs_gb:g} GB, "
            f"{card.name} has {card.memory_gb:.0f} GB"
        )
    if not is_present(preset, models_dir):
        raise SettingsError(
            f"the weights of {which} are not in {models_dir}; get them once with: "
            f"vivant engine download {which} ({preset.weights.disk_gb:g} GB)"
        )
    post = Post(
        folder=folder_of(models_dir, preset.weights.repo),
        models=models_dir,
        device=visible,
        preset_file=file_of(preset),
    )
    return DiffusionEngine(preset, post)
