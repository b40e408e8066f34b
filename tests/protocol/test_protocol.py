"""The promise, looked for in every order of events: crashes at each step, lost replies, bad luck.

`make model` looks further than a test has time for.
"""

import inspect

import pytest

from tests.protocol import row
from tests.protocol.exploring import explore
from tests.protocol.row import Rules
from tests.protocol.world import Handler, World
from vivant.ledger import Jobs
from vivant.ledger import jobs as real

#: What `Jobs` does that moves no job, so that the model need not know it.
_LOOKING = {
    "bots_with_answers",
    "counts",
    "find",
    "forgettable",
    "get",
    "latest",
    "media_keys",
    "open_jobs",
    "places",
    "waiting",
}
#: Notes in the row that no arrow depends on.
_NOTES = {"disown", "orphan", "purge", "renew_delivery", "repay", "reword", "snapped"}


#: An update whose handlers died twice.
_ON_ITS_LAST_TRY = World(offered=False, inbox="new", tries=2)
#: Two bots took up one update, and each has sent its own "on it".
_TWICE_ACKNOWLEDGED = World(
    chat=("on it", "on it"),
    offered=False,
    inbox="new",
    tries=2,
    inbox_leased=True,
    row=row.Row(),
    handlers=(Handler("sent", 0), Handler("sent", 1)),
)

pytestmark = pytest.mark.timeout(300)


def test_the_promise_holds_in_every_order_of_events_with_three_misfortunes() -> None:
    """One charge at most, settle or refund, one answer in sight, and always an end."""
    explored = explore(World(), misfortunes=3)

    assert explored.broken is None, str(explored.broken)
    assert explored.worlds > 300_000
    crashes = {name for name in explored.names if name.endswith("crashes")}
    assert crashes == {
        "the reader crashes",
        "the handler crashes",
        "the sender crashes",
        "an engine crashes",
    }


def test_a_job_that_meets_no_misfortune_ends() -> None:
    """With luck alone, every order of ordinary steps leads to an end."""
    assert explore(World(), misfortunes=0).broken is None


@pytest.mark.parametrize(
    ("bug", "start", "promise", "last"),
    [
        ("confirm_before_inbox", World(), "it never ends", "the reader crashes"),
        ("settle_at_render", World(), "charged before the platform confirmed", "finish"),
        (
            "blind_resend",
            World(),
            "more than one final answer is visible",
            "send the answer",
        ),
        ("no_fence", World(), "more than one final answer is visible", "the edit is applied"),
        (
            "line_without_fence",
            World(),
            "more than one final answer is visible",
            "the edit is applied",
        ),
        (
            "last_status_wins",
            _TWICE_ACKNOWLEDGED,
            "more than one final answer is visible",
            "the edit is applied",
        ),
        (
            "give_up_blindly",
            _ON_ITS_LAST_TRY,
            "more than one final answer is visible",
            "the handler breaks",
        ),
    ],
)
def test_a_broken_contract_is_found_out(bug: str, start: World, promise: str, last: str) -> None:
    """With its shortest trace, which a person can follow; without the bug all is well."""
    broken = explore(start, Rules()._replace(**{bug: True}), misfortunes=1).broken

    assert broken is not None
    assert broken.promise == promise
    assert broken.trace[-1] == last
    assert len(broken.trace) <= 25
    assert explore(start, misfortunes=1).broken is None


def test_the_model_has_the_arrows_of_the_ledger_by_the_same_names() -> None:
    """A method that moves a job, or an arrow of the table, cannot be added to one side alone."""
    methods = {
        name for name, _ in inspect.getmembers(Jobs, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }  # fmt: skip
    arrows = {
        name for name, function in inspect.getmembers(row, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == row.__name__
    }  # fmt: skip
    table = {
        line.split()[0]
        for line in (real.__doc__ or "").splitlines()
        if line.startswith("      ") and not line.startswith("       ")
    }

    assert arrows == methods - _LOOKING - _NOTES
    assert table <= arrows
    assert arrows - table == {"remember_line", "remember_status"}
