"""What people hide is made up of what is around them, without an edge that shows."""

import numpy as np

from tests.puppet.shots import Frame
from vivant.engine.puppet.fill import filled
from vivant.engine.puppet.mirror import mirrored

HEIGHT, WIDTH = 300, 400


def shelves() -> Frame:
    """A busy background: strong lines both ways, and no two columns alike."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    rows = 90 * (y // 24 % 2)
    return np.dstack([rows + 60 * (x // 18 % 2), rows + x // 4, rows + 40]).astype(np.uint8)


def hole(width: int) -> Frame:
    """An upright strip in the middle."""
    gone = np.zeros((HEIGHT, WIDTH), np.uint8)
    gone[60:, WIDTH // 2 - width // 2 : WIDTH // 2 + width // 2] = 1
    return gone


def test_a_mirror_shows_inside_what_lies_as_far_outside() -> None:
    picture, gone = shelves(), hole(80)
    copied, belief = mirrored(picture, gone)
    inside, outside = np.s_[150:280, 162:180], np.s_[150:280, 138:156]

    assert np.abs(copied[inside] - picture[outside][:, ::-1]).mean() < 12
    assert belief[inside].min() > 0.9
    assert belief[gone == 0].max() == 0


def test_where_two_mirrors_meet_neither_is_believed() -> None:
    _, belief = mirrored(shelves(), hole(80))

    assert belief[150:280, WIDTH // 2].max() < 0.1


def test_behind_somebody_a_busy_background_keeps_its_lines() -> None:
    """Just inside the hole it is as contrasty as just outside; what was seen stays as it was."""
    picture, gone = shelves(), hole(80)
    made = filled(picture, gone, gone)
    inside, outside = np.s_[150:280, 166:180], np.s_[150:280, 138:152]

    assert np.array_equal(made[gone == 0], picture[gone == 0])
    assert made[inside].std() > 0.8 * picture[outside].std()
    assert np.abs(np.diff(made[150:280, 155:170, 1].astype(int), axis=1)).mean() < 8
