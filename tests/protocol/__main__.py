"""Look further than the tests do: `python -m tests.protocol --misfortunes 4`."""

import argparse
import sys
import time

from tests.protocol.exploring import explore
from tests.protocol.world import World

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misfortunes", type=int, default=4)
    misfortunes = parser.parse_args().misfortunes
    started = time.monotonic()
    explored = explore(World(), misfortunes=misfortunes)
    sys.stdout.write(
        f"{misfortunes} misfortunes: {explored.worlds} worlds, {len(explored.names)} kinds of "
        f"steps, {time.monotonic() - started:.0f} s\n{explored.broken or 'the promise holds'}\n"
    )
    sys.exit(explored.broken is not None)
