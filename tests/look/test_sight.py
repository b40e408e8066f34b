"""What is seen in a photo: people, from left to right, and what each could do."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from tests.puppet import photos
from vivant.director.look import Looker
from vivant.director.sight import Sight


def test_a_portrait_is_one_smiling_person_without_a_free_hand(looker: Looker) -> None:
    sight = looker.look(photos.astronaut())
    (person,) = sight.people

    assert person.face is not None
    # Her face in the 512 x 512 photo, to a twentieth of it.
    assert person.face.left == pytest.approx(178 / 512, abs=0.05)
    assert person.face.right == pytest.approx(268 / 512, abs=0.05)
    assert person.face.top == pytest.approx(75 / 512, abs=0.05)
    assert person.face.bottom == pytest.approx(180 / 512, abs=0.05)
    assert person.mouth_open
    assert (person.free_hands, person.free_arms) == (0, 0)


def test_two_are_told_from_left_to_right(looker: Looker) -> None:
    first, second = looker.look(photos.pair()).people

    assert first.face is not None
    assert second.face is not None
    assert first.face.right < 0.5 < second.face.left


def test_a_cat_is_nobody(looker: Looker) -> None:
    """A cat's face passed for a person before a body without a face had to show its legs."""
    assert looker.look(photos.cat()) == Sight()


@pytest.mark.parametrize("size", [(64, 64), (700, 90), (90, 700), (3000, 2000)])
def test_a_photo_of_any_shape_can_be_looked_at(looker: Looker, size: tuple[int, int]) -> None:
    assert looker.look(Image.new("RGB", size, (90, 120, 160))) == Sight()


def test_a_large_photo_shows_who_a_small_one_shows(looker: Looker) -> None:
    photo = photos.pair()
    large = photo.resize((2400, 1536), Image.Resampling.BICUBIC)
    seen = [looker.look(each).people for each in (photo, large)]

    assert [len(people) for people in seen] == [2, 2]
    for small, big in zip(*seen, strict=True):
        assert small.face is not None
        assert big.face is not None
        assert small.face.left == pytest.approx(big.face.left, abs=0.02)


def test_two_threads_can_look_at_once(looker: Looker) -> None:
    """Each sees what it would see alone."""
    pictures = [photos.astronaut(), photos.pair()] * 3
    alone = [looker.look(picture) for picture in pictures]
    together: dict[int, Sight] = {}

    def look(index: int) -> None:
        together[index] = looker.look(pictures[index])

    threads = [threading.Thread(target=look, args=(index,)) for index in range(len(pictures))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [together[index] for index in range(len(pictures))] == alone


_CHILD = """
import os, resource, sys
from pathlib import Path
from tests.puppet import photos
from vivant.director.look import Looker
looker = Looker(Path(sys.argv[1]))
child = os.fork()
if child == 0:
    limit = 1200 * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    os._exit(len(looker.look(photos.pair()).people))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="forks, as the darkroom does on Linux")
def test_a_forked_child_can_look_within_its_limits(models_dir: Path) -> None:
    """The photo cleaner loads the eyes once, forks, and bounds the child's address space."""
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", _CHILD, str(models_dir)],
        cwd=root,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout.strip() == "2"
