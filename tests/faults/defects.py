"""What the campaigns are worth: planted defects that they must find, and the checker's own check.

A defect is planted by SMART_GATEWAY_DEFECT in the instrumented program and in no other
(gateway/core/defect.hpp).
"""
import concurrent.futures
import contextlib
import functools
import os
import tempfile
from dataclasses import dataclass

import rig
import mutate
from case import Case
from catalogue import FAULTS
from disk import lacks

DEFECTS = {  # what is wrong, and the campaign that must find it within its smoke budget
    'M1': ('commits are not synced (synchronous=NORMAL)', 'P3'),
    'M2': ('readings are called durable before the commit', 'P1'),
    'M3': ('sequences are given outside the transaction', 'P1'),
    'M4': ('rows are freed on PUBACK instead of on receipt', 'P1'),
    'M5': ('the tombstone comes after the drop, not with it', 'F10b'),
    'M6': ('checksums are ignored on read', 'F10b'),
    'M7': ('the wall clock measures waits', 'C2'),
    'M8': ('a late Modbus answer is taken', 'D1'),
    'M9': ('after a restart, sent again under new keys', 'P1'),
    'M10': ('a failed sync is tried again', 'F1'),
    'M11': ('receipts are applied without their epoch', 'P1b'),
}
CONTROL_RUNS = 3


@dataclass
class Search:
    """The runs of one campaign with one defect, or with none."""
    defect: str
    campaign: str
    budget: int
    runs: int = 0
    broken: int = 0  # of the runs: nothing is known of them
    found_by: tuple = ()
    skipped: str = ''

    @property
    def good(self):
        return bool(self.skipped) or self.broken < self.runs and \
            bool(self.found_by) == (self.defect != 'none')

    def line(self):
        text = DEFECTS[self.defect][0] if self.defect != 'none' else 'no defect is planted'
        outcome = f'skipped: {self.skipped}' if self.skipped else \
            f'run {self.runs} of {self.budget}: {"; ".join(self.found_by)}' if self.found_by else \
            f'nothing in {self.runs} runs'
        outcome += f' ({self.broken} broke)' if self.broken else ''
        return f'{self.defect:5} {text:50} {self.campaign:5} {outcome}' + \
            ('' if self.good else '   <-- WRONG')


def find(campaign, options):
    """Runs each defect until it is found; prints the table; 1 when one was not, or when something
    is found though none is planted."""
    wanted = options.ids or list(DEFECTS)
    used = sorted({DEFECTS[id_][1] for id_ in wanted})
    searches = [Search('none', id_, options.runs or CONTROL_RUNS) for id_ in used]
    searches += [Search(id_, DEFECTS[id_][1], FAULTS[DEFECTS[id_][1]].counts[0])
                 for id_ in wanted]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for search in pool.map(lambda each: _search(campaign, each, options.seed), searches):
            print(search.line(), flush=True)
    wrong = [search for search in searches if not search.good]
    print(f'\n{len(searches) - len(used)} defects, {len(wrong)} wrong')
    return bool(wrong)


def _search(campaign, search, seed):
    fault = FAULTS[search.campaign]
    search.skipped = next((why for need in fault.needs if (why := lacks(need))), '')
    environment = {'SMART_GATEWAY_DEFECT': search.defect}
    while not search.skipped and not search.found_by and search.runs < search.budget:
        verdict, _, _ = campaign.run(fault, seed + search.runs, environment)
        search.runs += 1
        search.broken += verdict is None
        # R, back in time, says how busy this machine is: no defect is found by it.
        found = [each for each in verdict.findings if each[0] != 'R'] if verdict else ()
        search.found_by = tuple(sorted({f'{check} {name}' for check, name, _ in found}))
    return search


@contextlib.contextmanager
def good_run(street):
    """The folder of a run in which nothing is done to the gateway, and the platform restarts."""
    with Case(street, 'S00', 1) as case:
        case.start()
        case.wait_readings(120)
        case.platform.kill()
        case.platform.start()  # what it had comes from its log; a hello asks for the rest
        case.wait_readings(120)
        case.finish()
        yield case.folder


def _campaign(folder, each, seed, name):
    """One kind of mutation, in a process of its own."""
    lines = []
    failed = mutate.campaign(folder, each, seed, out=lines.append, kinds=[name])
    return failed, lines


def mutations(build, each, seed):
    """Damages the logs of a good run `each` times in each way; how many were missed."""
    with tempfile.TemporaryDirectory() as folder, rig.Street(build, folder) as street, \
            good_run(street) as run:
        failed = 0
        work = functools.partial(_campaign, run, each, seed)
        with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
            for missed, lines in pool.map(work, mutate.KINDS):
                failed += missed
                print(*lines, sep='\n', flush=True)
        print(f'\n{len(mutate.KINDS)} kinds, {each} mutations each, {failed} missed')
    return bool(failed)
