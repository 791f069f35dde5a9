"""`map_records`: the same to every record, in several processes."""
import os
import signal
import time

import pytest

from lmim.datasets.records import RecordSource
from lmim.cli.data.parallel import map_records
from tests.processes import needs_fork


class Numbers(RecordSource):
    """Records that are their numbers."""
    path = layout = 'numbers'
    labelled = False

    def __len__(self):
        return 3000

    def read(self, index):
        return b'%d' % index

    def name(self, index):
        return f'number {index}'


def read(source, index):
    return source.read(index), os.getpid()


@pytest.mark.parametrize('indices', [range(3000), range(7), [5, 2, 9], []])
@pytest.mark.parametrize('workers', [0, 2])
def test_results_are_in_order(indices, workers):
    results = list(map_records(read, Numbers(), indices, workers, 'x'))
    assert [value for value, _ in results] == [b'%d' % i for i in indices]
    processes = {process for _, process in results}
    if workers == 0:
        assert processes <= {os.getpid()}
    else:
        assert os.getpid() not in processes and len(processes) <= workers


def fail(source, index):
    if index == 77:
        raise KeyError('oh')
    return index


@pytest.mark.parametrize('workers', [0, 2])
def test_an_error_names_the_record(workers):
    seen = []
    with pytest.raises(ValueError, match="^number 77: KeyError: 'oh'$"):
        for result in map_records(fail, Numbers(), range(3000), workers, 'x'):
            seen.append(result)
    assert seen == list(range(len(seen))) and len(seen) <= 77


def die(source, index):
    if index == 500:
        os.kill(os.getpid(), signal.SIGKILL)
    return index


@needs_fork
def test_a_killed_worker_is_noticed():
    with pytest.raises(ChildProcessError, match='a worker process was kil'):
        list(map_records(die, Numbers(), range(3000), 2, 'x'))


def note(source, index):
    with open(source.path, 'a') as file:
        file.write('.')
    return index


def test_slow_takers_do_not_fill_memory(tmp_path):
    """What is made in advance is limited."""
    source = Numbers()
    source.path = str(tmp_path / 'done')
    results = map_records(note, source, range(3000), 2, 'x')
    assert next(results) == 0
    time.sleep(0.3)
    assert 0 < os.path.getsize(source.path) <= 2 * 4 * 64 + 64
    results.close()  # ends the processes
    assert os.path.getsize(source.path) <= 2 * 4 * 64 + 64
