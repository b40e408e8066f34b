"""What is put around the parts of a loaded pipeline, the same for every family.

Every pass of a denoiser is heard, so that a stop comes through; a VAE that is short of memory
works in tiles; a text encoder is not asked twice. Imports torch.
"""

import functools
import gc
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torch

from vivant.engine import OnStep

logger = logging.getLogger(__name__)

#: What an encoded prompt is known by; with anything else it is encoded anew.
_PLAIN = (str, int, float, torch.dtype, type(None))


class Watch:
    """Hears every pass of every denoiser: counts it, and lets a stop come through."""

    def __init__(self, denoisers: Sequence[torch.nn.Module]) -> None:
        self.passes = 0
        self.check: Callable[[], None] = lambda: None
        for denoiser in denoisers:
            denoiser.register_forward_pre_hook(self._heard)

    def start(self, check: Callable[[], None]) -> None:
        """A new render begins."""
        self.passes = 0
        self.check = check

    def _heard(self, module: torch.nn.Module, args: object) -> None:
        self.check()
        self.passes += 1


class HeardScheduler:
    """Tells the steps of a scheduler, for families whose call takes no callback."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self._on_step: OnStep = lambda step, total: None
        self._steps = 0
        step = scheduler.step

        @functools.wraps(step)
        def heard(*args: Any, **kwargs: Any) -> Any:
            stepped = step(*args, **kwargs)
            self._steps += 1
            self._on_step(self._steps, len(self._scheduler.timesteps))
            return stepped

        scheduler.step = heard

    def start(self, on_step: OnStep) -> None:
        """A new render begins."""
        self._on_step = on_step
        self._steps = 0


class PatientVae:
    """Lets a VAE work in tiles where memory is too short for the whole, without a new denoise.

    What was too large once is tiled at once the next time; all else stays whole, which is
    faster and has no seams.
    """

    def __init__(self, vae: Any, watch: Watch) -> None:
        self.tiled = False
        self._vae = vae
        self._watch = watch
        self._too_large: set[tuple[str, tuple[int, ...]]] = set()
        vae.decode = self._patient(vae.decode)
        vae.encode = self._patient(vae.encode)

    def _patient(self, work: Callable[..., Any]) -> Callable[..., Any]:
        #: Some have no tiles; for them the whole is all there is.
        has_tiles = hasattr(self._vae, "use_tiling")

        @functools.wraps(work)
        def patient(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            self._watch.check()
            shape = (work.__name__, tuple(tensor.shape))
            if shape not in self._too_large:
                try:
                    return work(tensor, *args, **kwargs)
                except torch.OutOfMemoryError:
                    if not has_tiles:
                        raise
                    logger.warning("out of memory: in tiles", extra={"work": work.__name__})
                    self._too_large.add(shape)
                # Out of the handler: its traceback holds on to what filled the memory.
                free_memory()
            self.tiled = True
            self._vae.enable_tiling()
            try:
                return work(tensor, *args, **kwargs)
            finally:
                self._vae.disable_tiling()

        return patient


def keep_prompts(pipe: Any, limit_bytes: int) -> None:
    """Spare the text encoder what it said before; the oldest goes when *limit_bytes* are full.

    "Again" and the buttons of suggestions repeat themselves, and an encoder may be larger
    than all the rest.
    """
    encode = getattr(pipe, "encode_prompt", None)
    if encode is None or not limit_bytes:
        return
    kept: OrderedDict[object, tuple[torch.Tensor | None, ...]] = OrderedDict()

    def size(encoded: tuple[torch.Tensor | None, ...]) -> int:
        return sum(each.nbytes for each in encoded if each is not None)

    @functools.wraps(encode)
    def remembered(*args: Any, **kwargs: Any) -> Any:
        device = kwargs.get("device") or pipe._execution_device  # noqa: SLF001 - as it does itself
        said = {name: value for name, value in sorted(kwargs.items()) if name != "device"}
        if not all(isinstance(each, _PLAIN) for each in (*args, *said.values())):
            return encode(*args, **kwargs)
        asked = (*args, *said.items())
        if asked in kept:
            kept.move_to_end(asked)
            return tuple(
                each if each is None else each.to(device, copy=True) for each in kept[asked]
            )
        encoded = encode(*args, **kwargs)
        if isinstance(encoded, tuple) and all(
            each is None or isinstance(each, torch.Tensor) for each in encoded
        ):
            kept[asked] = tuple(
                each if each is None else each.detach().to("cpu", copy=True) for each in encoded
            )
            while sum(map(size, kept.values())) > limit_bytes:
                kept.popitem(last=False)
        return encoded

    pipe.encode_prompt = remembered


def free_memory() -> None:
    """Give back what nobody holds any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
