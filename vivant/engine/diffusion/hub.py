"""The hub that weights come from: huggingface_hub, with its exceptions turned into ours."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huggingface_hub

from vivant.engine.diffusion.download import HubFile
from vivant.errors import SettingsError

#: Typed only in part.
_hub: Any = huggingface_hub


class Hub:
    """One hub: the public one, or *endpoint*."""

    def __init__(self, endpoint: str | None) -> None:
        self._endpoint = endpoint

    def listed(self, repo: str, revision: str) -> tuple[str, list[HubFile]]:
        """The commit and all files of *repo* at *revision*, the newest when it is empty."""
        with _our_errors(repo):
            info = _hub.HfApi(endpoint=self._endpoint).model_info(
                repo, revision=revision or None, files_metadata=True
            )
        files = [
            HubFile(
                name=each.rfilename,
                size=each.size or 0,
                digest=f"sha256:{each.lfs.sha256}" if each.lfs else f"git:{each.blob_id}",
            )
            for each in info.siblings or ()
        ]
        return info.sha or "", files

    def fetch(
        self, repo: str, commit: str, file: HubFile, folder: Path, on_part: Callable[[int], None]
    ) -> None:
        """Fetch one file; *on_part* hears how many bytes of it came."""
        with _our_errors(repo):
            _hub.hf_hub_download(
                repo,
                file.name,
                revision=commit,
                local_dir=folder,
                endpoint=self._endpoint,
                tqdm_class=_counter(on_part),
            )


def _counter(on_part: Callable[[int], None]) -> Any:
    """A progress bar for the hub's library that shows nothing and tells *on_part* the bytes."""

    class Counter(_hub.utils.tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, initial: int = 0, **kwargs: Any) -> None:
            self._came = initial
            super().__init__(*args, **(kwargs | {"disable": True}))

        def update(self, n: float | None = 1) -> None:
            self._came += int(n or 0)
            on_part(self._came)

        # Its chunked store counts what travels apart from what is written; one is enough.
        def update_transfer(self, n: float | None = 1) -> None:
            pass

        def set_transfer_postfix_str(self, *args: Any, **kwargs: Any) -> None:
            pass

    return Counter


@contextlib.contextmanager
def _our_errors(repo: str) -> Iterator[None]:
    try:
        yield
    except _hub.errors.GatedRepoError as exc:
        raise SettingsError(
            f"{repo} is gated: accept its terms on its page, and set HF_TOKEN to a token that may "
            "read it"
        ) from exc
    except (OSError, _hub.errors.HTTPError, ValueError) as exc:
        raise SettingsError(f"{repo}: {type(exc).__name__}: {exc}") from exc
