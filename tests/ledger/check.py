#!/usr/bin/python3
"""Judges one run by its logs: check.py FOLDER prints a JSON verdict, and what is wrong on stderr.

Nothing here knows our C++: messages are read with schemas/read_batch.py.
"""
import json
import sys

import checks
import logs
from evidence import DEVICE_ROW, MS, Evidence

LOST = {'silent gap', 'hole at the sensor', 'durable lost', 'gone without a receipt',
        'alarm lost or invented'}


class Verdict:
    """`findings`: (check, name, detail), empty when all is well; `line`: the numbers; `taken`: good
    answers without a reading, as the faults allow."""

    def __init__(self, findings, line, taken):
        self.findings, self.line, self.taken = findings, line, taken

    def names(self):
        return {name for _, name, _ in self.findings}

    def count(self, *names):
        return sum(name in names for _, name, _ in self.findings)

    @property
    def lost(self):
        return self.count(*LOST)


def judge(found, decoder=None):
    """The verdict on the logs of one run, as logs.read() gives them."""
    e = Evidence(found, decoder)
    checks.k2_cover(e)
    checks.k3_truth(e)
    taken = checks.k4_no_hole(e)
    checks.k5_durable(e)
    checks.k6_order(e)
    checks.k7_time(e)
    checks.k8_manifests(e)
    declared = checks.k9_reasons(e)
    checks.k10_receipts(e)
    checks.k11_quality(e)
    checks.k12_counters(e)
    recovery = recovery_ms(e)
    verdict = Verdict(e.findings, {}, taken)
    delivered = sum(len(known) for known in e.content.values())
    live = [record.ns - e.boot_ns(record.time) for record in e.records
            if record.topic in ('data', 'alarm')]
    durable = sum(line['last'] - line['first'] + 1 for line in e.durable) \
        if e.durable is not None else sum(e.heads.values())
    verdict.line = {
        'seed': e.begin.get('seed'), 'scenario': e.begin.get('scenario'),
        'served': sum(not each.damaged for each in e.served),
        'recorded': sum(record.row < DEVICE_ROW and record.point is not None
                        for record in e.records),
        'durable': durable, 'delivered': delivered, 'duplicates': e.duplicates,
        'conflicts': e.conflicts, 'silent_gaps': verdict.count('silent gap'),
        'invented': verdict.count('invented'), 'doubled': verdict.count('doubled slot'),
        'declared': declared, 'max_latency_ms': max(live, default=0) // MS,
        'recovery_ms': recovery, 'verdict': 'failed' if e.findings else 'ok'}
    return verdict


def recovery_ms(e):
    """The longest from the end of a cut's reboot to the next answer taken from a device; one that
    never came back, or too late, is a finding."""
    worst = None
    for fault in e.faults:
        if fault.get('back_within_ms') is None:
            continue
        start = min((s['ns'] for s in e.starts if s['ns'] >= fault['begin'] and s['devices']),
                    default=fault['end'])
        back = min((s.ns for s in e.served if s.ns > start), default=None)
        took = None if back is None else max(0, back - start) // MS
        if took is None or took > fault['back_within_ms']:
            e.find('R', 'not back in time', f'{fault["kind"]}: {took} ms')
        worst = max(worst or 0, took or 0)
    return worst


def main():
    verdict = judge(logs.read(sys.argv[1]))
    for check, name, detail in verdict.findings:
        print(f'{check} {name}: {detail}', file=sys.stderr)
    print(json.dumps(verdict.line))
    return bool(verdict.findings)


if __name__ == '__main__':
    sys.exit(main())
