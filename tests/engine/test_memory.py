"""Freed memory stays in the process."""
import platform
import subprocess
import sys

import pytest
import torch

PROGRAM = """
import resource, sys, torch
if sys.argv[1] == 'hold':
    from lmim.engine.memory import hold_freed_memory
    assert hold_freed_memory()

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

torch.ones(2**24)
before = faults()
for _ in range(12):
    torch.ones(2**24)
print(faults() - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != 'glibc' or torch.cuda.is_available(),
    reason='for CPUs and glibc')
def test_large_blocks_are_not_asked_for_again():
    held, given_back = (
        int(subprocess.run([sys.executable, '-c', PROGRAM, word], text=True,
                           stdout=subprocess.PIPE, check=True).stdout)
        for word in ('hold', 'not'))
    # Blocks of 64 MB; at first some do not fit beside one another.
    assert held < given_back / 3
