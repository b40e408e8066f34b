"""How long a caption takes to understand, and the worst that a thousand characters can do.

    python -m bench.words

Targets: 0.1 ms on average, so that a bot may do it on its event loop.
"""

import csv
import time
from pathlib import Path

from vivant.director.words import MAX_CHARACTERS, understand

SETS = Path(__file__).parents[1] / "tests" / "director"
ROUNDS = 20
#: Each is repeated to the limit: many actions, many clauses, many signs, nothing known.
HARD = ("smile ", "smile, ", "smile and ", "the waves ", "笑", "xx yy ", "a", "hug on the left, ")


def captions() -> list[str]:
    found: list[str] = []
    for path in sorted(SETS.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            found += [row["caption"] for row in rows]
    return found


def taken_ms(words: str) -> float:
    started = time.perf_counter()
    understand(words)
    return (time.perf_counter() - started) * 1e3


def main() -> None:
    print(f"reading every table        {taken_ms(''):8.1f} ms, once")
    usual = sorted(taken_ms(words) for _ in range(ROUNDS) for words in captions())
    print(f"a caption, mean            {sum(usual) / len(usual):8.3f} ms")
    print(f"a caption, median          {usual[len(usual) // 2]:8.3f} ms")
    print(f"a caption, 99th percentile {usual[len(usual) * 99 // 100]:8.3f} ms")
    worst = max(taken_ms((unit * MAX_CHARACTERS)[:MAX_CHARACTERS]) for unit in HARD)
    print(f"the hardest 1,000 signs    {worst:8.3f} ms")


if __name__ == "__main__":
    main()
