"""`tools/benchmark.py`."""
import json
import runpy
import sys
import time

import cv2
import pytest

from lmim.rendering import make_sets


@pytest.fixture
def main(repo, monkeypatch):
    """The tool's own main, as in a process of its own."""
    monkeypatch.setattr(sys, 'path', [str(repo / 'tools'), *sys.path])
    return runpy.run_path(str(repo / 'tools/benchmark.py'))['main']


def test_render_in_words_and_as_json(main, capsys):
    small = ['render', '--samples', '3', '--rounds', '2']
    assert main(small) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'core(s) for this process' in lines[0] and 'threads' in lines[0]
    assert 'numpy ' in lines[1] and 'opencv ' in lines[1]
    assert [line.split('images/s')[0].rsplit(maxsplit=1)[0]
            for line in lines[2:]] == [
                'varied', 'print', 'varied, boxes', 'plain Pillow']
    assert main([*small, '--json']) == 0
    result = json.loads(capsys.readouterr().out)
    assert result['benchmark'] == 'render' and result['unit'] == 'images/s'
    assert result['machine']['cores'] >= 1
    for rates in result['rows'].values():
        assert len(rates['rounds']) == 2 and min(rates['rounds']) > 10
        assert min(rates['rounds']) <= rates['median'] <= max(rates['rounds'])


def test_the_speed_that_is_promised():
    """At least 300 words a second; of this process's time, as others work."""
    words = make_sets({'train': 10**6}).parts['train']
    rates = []
    for begin in range(0, 240, 60):
        start = time.process_time()
        for index in range(begin, begin + 60):
            cv2.resize(words[index].image, (128, 32))
        rates.append(60 / (time.process_time() - start))
    assert max(rates) > 300


@pytest.mark.parametrize('argv', [[], ['paint'], ['render', '--rounds', '0']])
def test_wrong_command_lines_exit_2(main, argv):
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2
