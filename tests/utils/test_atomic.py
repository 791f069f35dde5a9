"""Where there is no room, the path is named and nothing half-made is left."""
import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lmdb
import pytest

from lmim.utils.atomic import whole_file, whole_folder
from lmim.utils.errors import end_after, message_of


@pytest.mark.parametrize('error', [
    OSError(errno.ENOSPC, 'No space left on device'),
    OSError(errno.EFBIG, 'File too large'),
    RuntimeError('[enforce fail at inline_container.cc:664] . unexpected pos'),
])
@pytest.mark.parametrize('write', [whole_file, whole_folder])
def test_a_full_disk_names_the_path(tmp_path: Path, write: Any,
                                    error: Exception,
                                    capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / 'there' / 'result'
    with pytest.raises(OSError) as raised:
        with write(path):
            raise error
    assert raised.value.filename == str(path)
    assert not list(tmp_path.rglob('result*'))
    assert end_after(raised.value, 'write') == 1
    message = capsys.readouterr().err
    assert str(path) in message and 'There is no room for it' in message


@pytest.mark.parametrize('free, told', [
    (1000, 'There is no room for it'), (2**30, 'Input/output error')])
def test_lmdbs_error_names_the_path(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int,
        told: str) -> None:
    path = tmp_path / 'words.lmdb'
    monkeypatch.setattr('shutil.disk_usage',
                        lambda folder: SimpleNamespace(free=free))
    with pytest.raises(OSError) as raised:
        with whole_folder(path):
            raise lmdb.DiskError('mdb_txn_commit: Input/output error')
    assert str(path) in message_of(raised.value)
    assert told in message_of(raised.value)


def test_other_errors_stay_as_they_are(tmp_path: Path) -> None:
    error = RuntimeError('of another kind')
    with pytest.raises(RuntimeError) as raised:
        with whole_file(tmp_path / 'x'):
            raise error
    assert raised.value is error
