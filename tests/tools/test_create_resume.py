"""`create` and `split`, killed anywhere, end as if they had not been."""
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any, Dict

import lmdb
import pytest

from lmim.datasets.writing import draft_folder, lmdb_draft
from lmim.datasets.writing.draft_folder import DraftFolder
from lmim.datasets.writing.lmdb_appender import LMDBPart
from lmim.datasets.writing.lmdb_draft import LMDBDraft
from lmim.cli.data import main
from lmim.cli.data.conversion import Conversion
from tests.datasets.make_lmdb import make_lmdb, picture
from tests.killed import fork, needs_fork, run_killed

pytestmark = needs_fork
COMMANDS = {
    'create': ['create', 'words', 'out.lmdb', '--workers', '0'],
    'split': ['split', 'words', 'out', '--val', '0.3', '--workers', '0'],
}
PLACES = {'create': ['out.lmdb'], 'split': ['out/train.lmdb', 'out/val.lmdb']}
LISTS = {'create': 'out.lmdb.skipped.jsonl', 'split': 'out/skipped.jsonl'}


@pytest.fixture(autouse=True)
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 records, 8 of them broken; written in batches of 10."""
    images = [b'broken' if number % 8 == 5 else picture(number, 4, 6)
              for number in range(64)]
    labels = [b'word %d' % number for number in range(64)]
    make_lmdb(tmp_path / 'words', images, labels)
    monkeypatch.setattr(LMDBDraft, 'batch_size', 10)
    monkeypatch.chdir(tmp_path)


def outcome(command: str) -> Dict[str, Any]:
    """All that a command leaves: keys and values, the list, other names."""
    found: Dict[str, Any] = {
        'list': Path(LISTS[command]).read_text(),
        'names': sorted(str(path) for path in Path().rglob('*')),
    }
    for place in PLACES[command]:
        with lmdb.open(place, readonly=True, lock=False) as env:
            with env.begin() as transaction:
                found[place] = {bytes(key): bytes(value)
                                for key, value in transaction.cursor()}
    return found


@pytest.fixture(params=sorted(COMMANDS))
def command(request: pytest.FixtureRequest, tmp_path: Path,
            capsys: pytest.CaptureFixture) -> str:
    """A command; what it leaves undisturbed is at `wanted`."""
    folder = tmp_path / 'undisturbed'
    folder.mkdir()
    (folder / 'words').symlink_to(tmp_path / 'words')
    os.chdir(folder)
    assert main(COMMANDS[request.param]) == 0
    capsys.readouterr()
    return request.param


@pytest.mark.parametrize('owner, name, count, before', [
    (DraftFolder, '_begin', 1, True),
    (draft_folder, 'whole_file', 1, True),
    (DraftFolder, '_begin', 1, False),
    (LMDBPart, 'save', 1, True),
    (LMDBPart, 'save', 1, False),
    (LMDBPart, 'save', 4, True),
    (LMDBPart, 'save', 5, True),
    (LMDBPart, 'save', 5, False),
    (LMDBPart, 'complete', 1, True),
    (LMDBPart, 'complete', 1, False),
    (lmdb_draft, 'publish', 1, True),
    (lmdb_draft, 'publish', 1, False),
    (DraftFolder, 'release', 1, True),
    (draft_folder, '_remove', 2, True),
], ids=lambda value: getattr(value, '__name__', str(value)))
def test_killed_and_gone_on_with(command, tmp_path, capsys, owner, name,
                                 count, before):
    wanted = outcome(command)
    os.chdir(tmp_path)
    for path in PLACES[command]:
        assert not Path(path).exists()
    assert run_killed(lambda: main(COMMANDS[command]), owner, name, count,
                      before)
    # Nothing at a place, or all of it.
    for place in filter(os.path.exists, PLACES[command]):
        with lmdb.open(place, readonly=True, lock=False) as env:
            with env.begin() as transaction:
                found = {bytes(key): bytes(value)
                         for key, value in transaction.cursor()}
        assert found == wanted[place]
    assert main([*COMMANDS[command], '--json']) == 0
    result = json.loads(capsys.readouterr().out)
    assert result['skipped']['total'] == 8 and result['records'] == 64
    found = outcome(command)
    mine = {'undisturbed', 'words'}
    assert [path for path in found.pop('names')
            if path.split('/')[0] not in mine] == [
                path for path in wanted.pop('names') if path != 'words']
    for part, value in found.items():
        if part == 'list':
            assert value == wanted['list']
        else:
            assert value == wanted[part]


def test_it_goes_on_rather_than_begins_anew(capsys):
    create = COMMANDS['create']
    assert run_killed(lambda: main(create), LMDBPart, 'save', 4, False)
    assert main([*create, '--json']) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)['begin'] == 40
    assert 'going on at record 41 of 64' in err


def test_a_real_kill_with_workers(capsys, tmp_path, monkeypatch):
    """Killed from outside while workers run; they end with it."""
    slow = Conversion.convert

    def convert(self: Conversion, *args: Any) -> Any:
        time.sleep(0.02)
        return slow(self, *args)

    monkeypatch.setattr(Conversion, 'convert', convert)
    create = ['create', 'words', 'out.lmdb', '--workers', '2']
    alive, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(alive)
        sys.stderr = open(os.devnull, 'w')
        os._exit(main(create))
    os.close(end)
    data = Path('out.lmdb.draft/skipped.jsonl')
    limit = time.monotonic() + 20
    # The second batch is listed after the first one was written.
    while not (data.exists() and data.read_bytes().count(b'\n') > 1):
        assert time.monotonic() < limit
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    # The pipe is at its end once all that had it are gone, workers too.
    os.set_blocking(alive, False)
    while os.fstat(alive) and _is_open(alive):
        assert time.monotonic() < limit
        time.sleep(0.01)
    os.close(alive)
    monkeypatch.setattr(Conversion, 'convert', slow)
    assert not Path('out.lmdb').exists()
    assert main([*create, '--json']) == 0
    result = json.loads(capsys.readouterr().out)
    assert result['begin'] >= 10 and result['written'] == 56
    assert not Path('out.lmdb.draft').exists()


def _is_open(pipe: int) -> bool:
    try:
        return os.read(pipe, 1) != b''
    except BlockingIOError:
        return True


@pytest.mark.parametrize('change', [['--shrink', '2'], ['--unlabelled']])
def test_a_draft_of_other_settings_is_not_mixed_in(capsys, change):
    create = COMMANDS['create']
    assert run_killed(lambda: main(create), LMDBPart, 'save', 4, False)
    other = [*create, *change]
    assert main(other) == 1
    told = capsys.readouterr().err
    assert 'begun with other settings or sources' in told
    assert ('shrink' if '--shrink' in change else 'labels') in told
    assert main([*other, '--overwrite', '--json']) == 0
    assert json.loads(capsys.readouterr().out)['begin'] == 0
    assert not Path('out.lmdb.draft').exists()


def test_a_draft_of_changed_sources_is_not_mixed_in(capsys):
    create = COMMANDS['create']
    assert run_killed(lambda: main(create), LMDBPart, 'save', 4, False)
    with lmdb.open('words') as env, env.begin(write=True) as transaction:
        transaction.put(b'label-000000001', b'changed')
    assert main(create) == 1
    assert '(sources)' in capsys.readouterr().err


def test_what_others_made_is_left_alone(capsys):
    Path('out.lmdb.draft').mkdir()
    Path('out.lmdb.draft/notes.txt').write_text('mine')
    assert main([*COMMANDS['create'], '--overwrite']) == 1
    assert 'is in the way' in capsys.readouterr().err
    assert os.listdir('out.lmdb.draft') == ['notes.txt']


def test_two_at_once(capsys):
    """The second one is refused, and the first one is not disturbed."""
    create = COMMANDS['create']
    assert run_killed(lambda: main(create), LMDBPart, 'save', 4, False)
    folder = DraftFolder(Path('out.lmdb.draft'), ['all'], ['skipped.jsonl'])
    settings = json.loads(Path('out.lmdb.draft/draft.json').read_text())
    folder.claim(settings, overwrite=False)
    status = fork(lambda: os._exit(main([*create, '--overwrite'])))
    assert os.WEXITSTATUS(status) == 1
    folder.release(keep=True)
    assert main([*create, '--json']) == 0
    assert json.loads(capsys.readouterr().out)['begin'] == 40


def test_a_full_disk(capfd):
    """Here: a limit on the size of files, which LMDB meets like one."""
    create = COMMANDS['create']

    def limited() -> None:
        size = os.stat('out.lmdb.draft/all/data.mdb').st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        os._exit(main(create))

    assert run_killed(lambda: main(create), LMDBPart, 'save', 4, False)
    assert os.WEXITSTATUS(fork(limited)) == 1
    told = capfd.readouterr().err
    assert 'cannot write out.lmdb.draft' in told and 'Make room' in told
    assert '40 records is kept in out.lmdb.draft' in told
    assert main(create) == 0
    assert '56 of 64 records are in out.lmdb' in capfd.readouterr().out


def test_interrupted(capsys, monkeypatch):
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    create = COMMANDS['create']
    assert run_killed(lambda: main(create), LMDBPart, 'save', 4, False)
    monkeypatch.setattr(Conversion, '__call__', interrupt)
    assert main(create) == 130
    assert '40 records is kept' in capsys.readouterr().err
    assert not Path('out.lmdb').exists()
