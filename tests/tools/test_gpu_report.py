"""The script for a GPU, tried on a CPU; what it writes."""
import argparse
import importlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.tool_runs import REPO, TOOLS


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of the script."""
    monkeypatch.syspath_prepend(str(TOOLS))
    return lambda name: importlib.import_module(f'gpu_report.{name}')


def test_a_report_of_one_part(tmp_path: Path) -> None:
    """As it is typed, in small: pictures that workers load on a CPU."""
    out = tmp_path / 'out'
    done = subprocess.run(
        ['bash', str(TOOLS / 'gpu_report.sh'), '--device', 'cpu', '--quick',
         '--parts', 'loading', '--minutes', '60', '--out', str(out)],
        cwd=tmp_path, capture_output=True, text=True,
        env={key: value for key, value in os.environ.items()
             if key != 'PYTHONPATH'})
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((out / 'report.json').read_text())
    part, = report['parts']
    assert (part['part'], part['state']) == ('loading', 'done')
    tables = report['tables']
    assert [row['source'] for row in tables['loading']] == [
        'LMDB', 'rendered', 'LMDB']
    assert all(row['images_per_s'] > 0 for row in tables['loading'])
    assert all(0 <= row['waiting_share'] <= 1 for row in tables['waiting'])
    page = (out / 'report.md').read_text()
    assert 'Only a trial of the script itself' in page
    assert '| LMDB |' in page and '### Loading' in page


def test_a_part_ends_at_its_limit(tools: Any, tmp_path: Path) -> None:
    """And says so; what it had written would be in the report."""
    main = tools('__main__')
    args = argparse.Namespace(out=tmp_path, device='cpu', quick=True,
                              data=None)
    ended = main.run_part(main.Part('correctness', 1.), args, 0.5)
    assert ended['state'] == 'stopped at its limit'
    assert ended['seconds'] < 20
    assert (tmp_path / 'correctness.log').exists()


def test_a_row_that_was_cut_off_is_left_out(tools: Any,
                                            tmp_path: Path) -> None:
    rows = tools('rows')
    writer = rows.Rows(tmp_path / 'part.jsonl')
    writer.add('peak', tflops=790.)
    with writer.path.open('a') as file:
        file.write('{"table": "pe')
    assert rows.read_rows(writer.path) == [{'table': 'peak', 'tflops': 790.}]
    assert rows.read_rows(tmp_path / 'none.jsonl') == []


def test_the_chapter_is_replaced_whole(tools: Any, tmp_path: Path) -> None:
    chapter = tools('chapter')
    report = dict(
        quick=False, machine=dict(GPU='H200', torch='2.11'),
        parts=[dict(part='speed', state='done')],
        tables=dict(peak=[dict(product='8192|bf16', tflops=790.)],
                    gaps=[dict(idle_share=0.1), dict(idle_share=0.2, n=3)]))
    page = tmp_path / 'page.md'
    page.write_text('# P\n\n## Before\n\na\n\n## On a GPU\n\nold\n\n### Old\n'
                    '\nolder\n\n## After\n\nb\n')
    (tmp_path / 'report.json').write_text(json.dumps(report))
    for _ in range(2):  # the second time as the first
        assert chapter.main([str(tmp_path / 'report.json'), str(page)]) == 0
    text = page.read_text()
    assert text.startswith('# P\n\n## Before\n\na\n\n## On a GPU\n\n')
    assert text.endswith('| speed | done |\n\n## After\n\nb\n')
    assert 'old' not in text and text.count('## On a GPU\n') == 1
    assert 'GPU H200, torch 2.11.' in text
    assert r'| 8192\|bf16 | 790.0 |' in text
    assert '| idle_share | n |\n| --- | --- |\n| 0.1 |  |\n| 0.2 | 3 |' in text
    with pytest.raises(ValueError, match='no chapter'):
        chapter.replace_chapter('# P\n', 'x')
    # The page of this project has it.
    assert chapter.replace_chapter(
        (REPO / 'docs/performance.md').read_text(), 'here') != 'here'


#: Stands for `python -m pip`: writes a wheel, or has none.
PIP = """#!/usr/bin/env bash
[ "$1" = -m ] || exit 1
command="$4" name="${*: -1}"
for ((i = 1; i <= $#; i++)); do case "${!i}" in -d | -w) j=$((i + 1)); folder="${!j}";; esac; done
echo "$command $name" >>"$LOG"
[ "$command" = wheel ] || [ "$name" != "$SOURCE" ] || exit 1
touch "$folder/${name%%=*}-1-$([ "$name" = "$SOURCE" ] && echo "$BUILT" || echo py3-none-any).whl"
"""  # noqa: E501


@pytest.mark.parametrize('built, code', [
    ('py3-none-any', 0), ('cp311-cp311-linux_x86_64', 1)])
def test_wheels_are_for_the_other_machine(built: str, code: int,
                                          tmp_path: Path) -> None:
    """What has no wheel is built, and must be of Python alone."""
    pip = tmp_path / 'python'
    pip.write_text(PIP)
    pip.chmod(0o755)
    done = subprocess.run(
        ['bash', str(TOOLS / 'gpu_wheels.sh'), str(tmp_path / 'wheels')],
        capture_output=True, text=True, env=dict(
            os.environ, PYTHON=str(pip), LOG=str(tmp_path / 'log'),
            SOURCE='mat4py', BUILT=built))
    assert done.returncode == code, done.stderr
    calls = (tmp_path / 'log').read_text().split('\n')
    assert 'download mmocr==1.0.1' in calls
    assert calls.count('wheel mat4py') == 1
    assert sum(call.startswith('wheel') for call in calls) == 1
    if code:
        assert 'these are not for Python 3.12' in done.stderr
        assert 'mat4py-1-cp311' in done.stderr
