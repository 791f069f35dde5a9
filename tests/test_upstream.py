"""The project's folder, copied into a stock MMOCR, trains there, by the
commands of docs/upstream.md."""
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

import mmocr
import pytest

from tests.documents import DOCS, REPO, blocks, commands
from tests.tool_runs import run_data

PAGE = DOCS / 'upstream.md'
#: Runs a list of command lines, each a script with its arguments, in turns.
DRIVER = """
import json, runpy, sys
import lmim
import mmengine.config.config
# Which lays each config out by yapf, four times a run.
mmengine.config.config.FormatCode = lambda text, **kwargs: (text, True)
for script, *args in json.load(open('lines.json')):
    sys.argv = [script, *args]
    runpy.run_path(script, run_name='__main__')
print('package:', lmim.__file__)
"""
#: Two batches an epoch, no other process.
SMALL = ['train_dataloader.num_workers=0', 'train_dataloader.batch_size=4',
         'train_dataloader.persistent_workers=False', 'val_cfg=None',
         'val_dataloader=None', 'val_evaluator=None',
         'default_hooks.checkpoint.interval=9']


@pytest.fixture(scope='module')
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of MMOCR, as far as its wheel has it."""
    package = Path(mmocr.__file__).parent
    if not (package / '.mim/tools/train.py').is_file():
        pytest.skip('this MMOCR was installed without its tools')
    root = tmp_path_factory.mktemp('upstream') / 'MMOCR'
    root.mkdir()
    (root / 'projects').mkdir()
    (root / 'mmocr').symlink_to(package)
    shutil.copytree(package / '.mim/tools', root / 'tools')
    shutil.copytree(package / '.mim/configs', root / 'configs')
    return root


def typed() -> List[str]:
    return [command.text for block in blocks(PAGE) if block.language == 'bash'
            for command in commands(PAGE, block)]


def test_its_configs_train_in_a_stock_mmocr(tree: Path) -> None:
    """Render, copy, train three models for a few steps, test the last."""
    lines, env = [], dict(os.environ, OMP_NUM_THREADS='1')
    env.pop('LMIM_DATA_ROOT', None)
    here = REPO
    for command in typed():
        words = shlex.split(command)
        if 'render' in words:
            run_data(tree.parent, 'render', words[-1], '--train', 8,
                     '--test', 4, '--max-length', 5)
        elif words[0] == 'cp':
            subprocess.run([*words[:-1], tree / 'projects'], cwd=here,
                           check=True)
        elif words[0] == 'cd':
            here = tree
        elif words[0] == 'export':
            name, value = words[1].split('=')
            env[name] = value.replace('$PWD', str(tree)).split(':')[0]
        else:
            lines.append(words[1:])
    assert here == tree and len(lines) == 4
    for line in lines:
        options = ['test_dataloader.num_workers=0',
                   'test_dataloader.persistent_workers=False']
        if line[0].endswith('train.py'):
            options = SMALL
        line += ['--cfg-options', *options]
    (tree / 'lines.json').write_text(json.dumps(lines))
    done = subprocess.run([sys.executable, '-c', DRIVER], cwd=tree, env=env,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    package = tree / 'projects/lmim/lmim'
    assert f'package: {package}' in done.stdout
    for run, last in (('mae_vit-mini_1xb64_rendered', 'epoch_4'),
                      ('lmim_vit-mini_1xb64_rendered', 'epoch_4'),
                      ('transformer_vit-mini_1xb64_rendered-labels',
                       'epoch_10')):
        assert (tree / 'work_dirs' / run / f'{last}.pth').is_file(), run
    [table] = tree.glob('work_dirs/*/epoch_10_benchmark.json')
    assert json.loads(table.read_text())
    text = (tree / 'work_dirs/transformer_vit-mini_1xb64_rendered-labels' /
            'transformer_vit-mini_1xb64_rendered-labels.py').read_text()
    assert str(package / 'dicts/english_94.txt') in text
    assert str(REPO) not in text
