"""P4, F16: histories of the store alone, far faster than the programs around it would make them.

The program holds the real store on a disk of ours (tests/support/faulty_vfs.*) and judges by what it
committed itself; see tests/unit/store/states_test.cpp.
"""
import json
import os
import subprocess

import check
from catalogue import fault

PROGRAM = 'tests/unit/store/unit_store_states'


def history(build, id_, seed):
    """Runs one history: its verdict, and what it says."""
    done = subprocess.run(
        [build / PROGRAM, f'--gtest_filter=*.{id_}_*', '--gtest_brief=1'],
        env={**os.environ, 'STORE_SEED': str(seed)}, capture_output=True, text=True, timeout=300,
        check=False)
    lines = done.stdout.splitlines()
    said = next((json.loads(line) for line in lines if line.startswith('{')), {})
    story = [', '.join(f'{name} {value}' for name, value in said.items() if name != 'seed')]
    findings = []
    if not said or done.returncode != 0:
        story += lines[-30:] + done.stderr.splitlines()[-5:]
        wrong = [line.strip() for line in lines if 'Failure' in line or line.startswith('  ')]
        findings.append(('-', 'store', '; '.join(wrong[:6]) or f'ended with {done.returncode}'))
    line = {'seed': seed, 'scenario': id_, **said, 'verdict': 'failed' if findings else 'ok'}
    return check.Verdict(findings, line, 0), story


@fault('P4', 'power cut at block level: unsynced writes lost, reordered, torn', (50, 2000, 10000),
       alone=True)
def crash_states(build, seed):
    return history(build, 'P4', seed)


@fault('F16', 'three days in a store too small, any policy', (5, 20, 50), alone=True)
def full_store(build, seed):
    return history(build, 'F16', seed)
