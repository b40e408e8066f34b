"""One process renders two people in half a gigabyte."""

import subprocess
import sys
from pathlib import Path

import pytest

_RENDER = """
import sys
from pathlib import Path
from tests.puppet import photos
from tests.puppet.shots import shot
from vivant.director.plan import Action
from vivant.engine.puppet.engine import PuppetEngine
engine = PuppetEngine(Path(sys.argv[1]))
engine.setup()
clip = engine.render(shot(photos.pair(), Action.HUG, area=420_000), lambda step, total: None)
for _ in zip(range(30), clip.pictures):
    pass
status = dict(line.split(':', 1) for line in open('/proc/self/status'))
print(int(status['VmHWM'].split()[0]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the high-water mark of Linux")
def test_a_render_fits_in_500_megabytes(models_dir: Path) -> None:
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", _RENDER, str(models_dir)],
        cwd=root,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert 100 < int(run.stdout) <= 500
