"""Look further than the tests do: `python -m tests.protocol 3` allows three misfortunes."""

import sys
import time

from tests.protocol.exploring import explore
from tests.protocol.world import World

if __name__ == "__main__":
    luck = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    started = time.monotonic()
    explored = explore(World(luck=luck))
    sys.stdout.write(
        f"{luck} misfortunes: {explored.worlds} worlds, {len(explored.names)} kinds of steps, "
        f"{time.monotonic() - started:.0f} s\n{explored.broken or 'the promise holds'}\n"
    )
    sys.exit(explored.broken is not None)
