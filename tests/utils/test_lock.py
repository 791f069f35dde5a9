"""A folder that a run has claimed, until it ends."""
import os
import signal
from pathlib import Path

import pytest

from lmim.utils.errors import UserError
from lmim.utils.lock import claim_folder
from tests.processes import needs_fork


@needs_fork
def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    folder = tmp_path / 'run'
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        claim_folder(folder)
        claim_folder(folder)  # again, as a run that trains and goes on
        os.write(told, b'.')
        signal.pause()
    assert os.read(ready, 1) == b'.'
    with pytest.raises(UserError, match=f'another run .process {child} on '
                                        f'.* writes into {folder}: choose'):
        claim_folder(folder)
    claim_folder(tmp_path / 'other')
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    claim_folder(folder)
