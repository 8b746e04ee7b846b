"""The faults that can be injected, by id; the modules of the families register theirs here."""
from dataclasses import dataclass, field
from typing import Callable

LEVELS = ('smoke', 'nightly', 'release')


@dataclass
class Fault:
    id: str
    text: str
    run: Callable  # takes a Case
    counts: tuple  # runs at each level
    needs: tuple = ()  # see disk.lacks
    disk_mb: int = 0  # the store lies on a loop disk of its own: Case.disk
    inodes: int = 0  # of that disk, if few
    alone: bool = False  # without a gateway: `run` takes (build, seed), gives (verdict, story)
    most_given_up: float = 1.0  # share of the durable readings, over a campaign of some runs
    street: dict = field(default_factory=dict)  # what is special about it: rig.Street


FAULTS = {}


def fault(id_, text, counts, **more):
    """Registers a function that injects the fault into a Case and leaves the gateway running or
    stopped; the runner then finishes the case and judges it."""
    def register(function):
        FAULTS[id_] = Fault(id_, text, function, counts, **more)
        return function
    return register
