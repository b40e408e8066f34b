"""A bot process at rest: how long its imports take, how much memory it holds, what it loads.

python -m bench.bot_process
"""

import subprocess
import sys

from rich.console import Console
from rich.table import Table

PROBE = """
import sys, time
started = time.perf_counter()
import vivant.bots.{platform}, vivant.services, vivant.processes
took = time.perf_counter() - started
with open("/proc/self/status") as status:
    held = next(line for line in status if line.startswith("VmRSS")).split()[1]
heavy = sorted({{"torch", "diffusers", "imageio_ffmpeg", "cv2", "numpy"}} & set(sys.modules))
print(took, held, ",".join(heavy) or "none")
"""


def main() -> None:
    table = Table("bot", "import s", "resident MB", "heavy modules loaded")
    for platform in ("telegram", "discord", "terminal"):
        probe = PROBE.format(platform=platform)
        runs = [
            subprocess.run(
                [sys.executable, "-c", probe], capture_output=True, text=True, check=True
            ).stdout.split()
            for _ in range(5)
        ]
        fastest = min(runs, key=lambda run: float(run[0]))
        table.add_row(
            platform, f"{float(fastest[0]):.2f}", f"{int(fastest[1]) / 1024:.0f}", fastest[2]
        )
    Console().print(table)


if __name__ == "__main__":
    main()
