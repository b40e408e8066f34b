"""Expressions as data: where points of the face mesh go in a smile, a pucker, a raised brow.

Numbers are (right, down) in eye distances, for a face seen from the front.
"""

from vivant.director.look.faces import OVAL
from vivant.engine.puppet.parts import Part

Anchors = dict[int, tuple[float, float]]

#: These stay, whatever moves around them: outline, nose, eyes, brows.
STILL = (
    *OVAL,
    *(1, 4, 168, 6, 33, 133, 362, 263, 159, 386, 70, 105, 107, 336, 334, 300, 9),
)

SMILE: Anchors = {
    # The corners go out and up, and the lips follow, less towards the middle.
    61: (-0.105, -0.085),
    291: (0.105, -0.085),
    185: (-0.075, -0.05),
    409: (0.075, -0.05),
    146: (-0.075, -0.055),
    375: (0.075, -0.055),
    39: (-0.04, -0.022),
    269: (0.04, -0.022),
    181: (-0.04, -0.028),
    405: (0.04, -0.028),
    37: (-0.015, -0.008),
    267: (0.015, -0.008),
    84: (-0.02, -0.015),
    314: (0.02, -0.015),
    0: (0, -0.005),
    17: (0, -0.012),
    13: (0, 0.004),
    14: (0, -0.008),
    18: (0, -0.01),
    # The cheeks rise, up to the lower lids.
    205: (-0.03, -0.06),
    425: (0.03, -0.06),
    50: (-0.012, -0.045),
    280: (0.012, -0.045),
    216: (-0.055, -0.06),
    436: (0.055, -0.06),
    2: (0, -0.004),
    145: (0, -0.012),
    374: (0, -0.012),
    230: (0, -0.018),
    450: (0, -0.018),
}

PUCKER: Anchors = {
    61: (0.085, 0),
    291: (-0.085, 0),
    185: (0.05, -0.004),
    409: (-0.05, -0.004),
    146: (0.05, 0.006),
    375: (-0.05, 0.006),
    39: (0.03, -0.02),
    269: (-0.03, -0.02),
    181: (0.03, 0.025),
    405: (-0.03, 0.025),
    0: (0, -0.03),
    17: (0, 0.03),
    13: (0, 0),
    14: (0, 0),
    205: (0.02, 0.01),
    425: (-0.02, 0.01),
}

BROW: Anchors = dict.fromkeys(
    (
        *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
        *(46, 53, 52, 65, 55, 285, 295, 282, 283, 276),
    ),
    (0.0, -0.05),
)

EXPRESSIONS: dict[Part, Anchors] = {
    Part.SMILE: SMILE,
    Part.PUCKER: PUCKER,
    Part.BROW: BROW,
}
