"""A reader who types what the documents say, with little time and data."""
import contextlib
import io
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List

import cv2
import mmocr
import numpy as np
import pytest
from mmengine.config import Config

from lmim.cli.main import main as lmim_command
from lmim.models.backbones import TextViT
from tests.documents import REPO, Block
from tests.lay_data import lay_loader, lay_set

MMOCR_TOOLS = Path(mmocr.__file__).parent / '.mim' / 'tools'
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
#: The sets that a reader is taken to have.
PUBLISHED = [
    'pretrain/lmim/lmim_vit-small_8xb64-10e_union14m-u.py',
    'textrecog/transformer/transformer_vit-small_8xb64-10e_union14m-l.py',
    'textrecog/transformer/'
    'transformer_vit-small_8xb64-60e_chinese-benchmark.py',
]

#: Runs of the quick start: folder, config, checkpoint, what it starts from.
QUICK_START = [
    ('mae', 'pretrain/mae/mae_vit-mini_1xb64_rendered', 'mae.pth', []),
    ('lmim', 'pretrain/lmim/lmim_vit-mini_1xb64_rendered', 'lmim.pth',
     ['model.target_generator.checkpoint='
      'work_dirs/quickstart/mae.pth']),
    ('finetune', 'textrecog/transformer/'
     'transformer_vit-mini_1xb64_rendered-labels', 'recognizer.pth',
     ['model.backbone.init_cfg.checkpoint='
      'work_dirs/quickstart/lmim.pth', 'val_cfg=None',
      'val_dataloader=None', 'val_evaluator=None']),
]


class Reader:
    """Types commands in a folder that looks like the repository, and writes
    nowhere else; the tools run in this process, to save the imports."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.patch = monkeypatch
        root.mkdir(exist_ok=True)
        for name in ('configs', 'docs', 'tools', 'projects', 'tests',
                     'requirements.txt'):
            if not (root / name).exists():
                (root / name).symlink_to(REPO / name)
        monkeypatch.chdir(root)
        monkeypatch.setenv('PWD', str(root))
        monkeypatch.setenv('LOCAL_RANK', '0')
        monkeypatch.delenv('LMIM_DATA_ROOT', raising=False)
        monkeypatch.syspath_prepend(str(REPO / 'tools'))
        # For its logs MMEngine formats the config by yapf, four times a run,
        # and starts the C compiler to know its version.
        monkeypatch.setattr('mmengine.config.config.FormatCode',
                            lambda text, **kwargs: (text, True))
        monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
        # The width of the published encoders, with one block of twelve; that
        # of the reader, whose weights come with lmim, stays.
        monkeypatch.setattr(TextViT, 'arch_zoo', {
            name: arch if name == 'shallow' else dict(arch, num_layers=1)
            for name, arch in TextViT.arch_zoo.items()
        })

    def gather_data(self) -> None:
        """Lay small sets where the published configs look, and one's own."""
        for name in PUBLISHED:
            cfg = Config.fromfile(REPO / 'configs' / name)
            for loader in LOADERS:
                if cfg.get(loader):
                    lay_loader(cfg[loader].dataset)
        for part in ('train.txt', 'test.txt'):
            lay_set(dict(type='TextImageDataset', data_root='data/my_words',
                         paths=part))
        scene = np.random.default_rng(0).integers(0, 255, (80, 90, 3), 'uint8')
        (self.root / 'scenes').mkdir()
        cv2.imwrite('scenes/street.png', scene)
        (self.root / 'scenes/polygons.json').write_text(
            '{"data_list": [{"img_path": "street.png", "instances": ['
            '{"bbox": [0, 0, 60, 20]}, {"bbox": [5, 30, 80, 60]}]}]}')

    def has_quick_start(self) -> None:
        """Lay what the quick start leaves, made in small, once for all."""
        kept, work = self.root.parent / 'quickstart', Path('work_dirs')
        work.mkdir(exist_ok=True)
        if not kept.exists():
            self._start_quickly(work / 'quickstart')
            shutil.copytree(work / 'quickstart', kept, symlinks=True)
        elif not (work / 'quickstart').exists():
            shutil.copytree(kept, work / 'quickstart', symlinks=True)

    def _start_quickly(self, work: Path) -> None:
        """Its words and its trainings, each with two pictures a batch."""
        self.as_it_is(f'lmim data render {work}/data --train 4 --test 4 '
                      '--max-length 5')
        for name, config, last, options in QUICK_START:
            self.run(Path('tools/train.py'), f'configs/{config}.py',
                     '--work-dir', f'{work}/{name}', '--cfg-options',
                     'train_cfg.max_epochs=2', 'train_dataloader.batch_size=2',
                     'train_dataloader.num_workers=0',
                     'train_dataloader.persistent_workers=False',
                     'train_dataloader.dataset.data_root=',
                     f'train_dataloader.dataset.paths={work}/data/train.lmdb',
                     'default_hooks.logger.interval=1',
                     # Of one name, they would share the first one's logs.
                     f'visualizer.name={name}', *options)
            (work / last).symlink_to(f'{name}/epoch_2.pth')

    def run(self, script: Path, *args: str) -> str:
        """Run a Python script as if it had been typed; its output."""
        self.patch.setattr(sys, 'argv', [str(script), *args])
        return self.ended(
            f'{script} {args}',
            lambda: runpy.run_path(str(script), run_name='__main__'))

    @staticmethod
    def ended(command: str, call: Callable[[], Any]) -> str:
        """Call what a command is; its output, where its exit status is 0."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                code = call()
            except SystemExit as stop:
                code = stop.code
        text = out.getvalue()
        # A script's variables are no exit status.
        assert isinstance(code, dict) or not code, (
            f'{command} ended with {code}:\n{text[-3000:]}')
        return text

    def writes(self, block: Block, name: str) -> None:
        """Python of a page: into the file that it names, or carried out."""
        file = re.match(r'# (\w+\.py)\n', block.text)
        if file:
            (self.root / file.group(1)).write_text(block.text)
        else:
            exec(compile(block.text, f'{name}:{block.line}', 'exec'), {})

    def as_it_is(self, command: str) -> None:
        """``python SCRIPT ...`` or ``lmim ...``"""
        program, *args = self.split(command)
        if program == 'lmim':
            self.ended(command, lambda: lmim_command(args))
        else:
            self.run(Path(args[0]), *args[1:])

    def rendered_in_small(self, command: str) -> None:
        """``lmim data render ...``"""
        self.as_it_is(f'{command} --train 4 --test 2')

    def verified(self, command: str) -> None:
        """``lmim data verify``; of sets that are too small."""
        with pytest.raises(AssertionError, match='400,000 are published'):
            self.as_it_is(command)

    def in_small(self, command: str) -> None:
        """``python tools/train.py CONFIG ...``, or test.py, or MMOCR's."""
        _, script, config, *args = self.split(command)
        path = Path(script)
        if path.parts[0] == 'MMOCR':
            path = MMOCR_TOOLS / path.name
        cfg = Config.fromfile(config)
        options = smaller(cfg)
        # One epoch after the warm-up. The last checkpoint then gets the name
        # that later commands know it by.
        epochs = 1 + max(s.get('end', 0) for s in cfg.param_scheduler)
        if path.name == 'train.py':
            options.append(f'train_cfg.max_epochs={epochs}')
        self.run(path, config, *args, '--cfg-options', *options)
        if path.name == 'train.py':
            work_dir = Path('work_dirs', Path(config).stem)
            if '--work-dir' in args:
                work_dir = Path(args[args.index('--work-dir') + 1])
            named = work_dir / f'epoch_{cfg.train_cfg.max_epochs}.pth'
            if not named.exists():
                named.symlink_to(f'epoch_{epochs}.pth')

    def with_mim(self, command: str) -> None:
        """``mim train mmocr CONFIG ...``, which runs MMOCR's own script."""
        _, name, package, config, *args = self.split(command)
        assert package == 'mmocr'
        line = ' '.join(args)
        line = re.sub(r'--(launcher|gpus) \w+', '', line)
        line = line.replace('--checkpoint ', '')
        self.in_small(f'python MMOCR/tools/{name}.py {config} {line}')

    def through_launcher(self, command: str) -> None:
        """``bash tools/dist_*.sh`` and ``slurm_*.sh``: what they start."""
        words = self.split(command)
        start = words.index('bash')
        settings, (bash, script, *args) = words[:start], words[start:]
        caught = self.root / 'caught.txt'
        for name in ('python', 'srun'):
            stub = self.root / 'stubs' / name
            stub.parent.mkdir(exist_ok=True)
            stub.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{caught}\n')
            stub.chmod(0o755)
        env: Dict[str, str] = dict(
            os.environ, PATH=f'{self.root}/stubs:{os.environ["PATH"]}',
            **dict(setting.split('=') for setting in settings))
        subprocess.run([bash, script, *args], check=True, env=env)
        started = caught.read_text().splitlines()
        tool = next(arg for arg in started if arg.endswith('.py'))
        line = shlex.join(started[started.index(tool) + 1:])
        number = next(arg for arg in started if re.match(
            r'--(nproc_per_node|ntasks)=', arg))
        assert number.split('=')[1] == '8', started
        launcher = 'slurm' if 'slurm' in script else 'pytorch'
        assert f'--launcher {launcher}' in line
        line = line.replace(f'--launcher {launcher}', '')
        self.in_small(f'python {tool} {line}')

    def split(self, command: str) -> List[str]:
        """Words of a command, ``$PWD`` filled in."""
        return shlex.split(os.path.expandvars(command))


def smaller(cfg: Config) -> List[str]:
    """Settings for two pictures a step and one block, nothing else."""
    options = ['default_hooks.checkpoint.interval=1000']
    if 'pictures' in cfg.default_hooks:  # which has tests of its own
        options.append('default_hooks.pictures.enable=False')
    for name in LOADERS:
        if cfg.get(name):
            options += [f'{name}.num_workers=0', f'{name}.pin_memory=False',
                        f'{name}.persistent_workers=False']
    options.append('train_dataloader.batch_size=1')
    if cfg.get('val_dataloader'):
        options.append('train_cfg.val_interval=1000')
    for part in ('neck', 'decoder'):
        if 'num_layers' in cfg.model.get(part, {}):
            # A refinement by the block before needs one.
            layers = 2 if 'refinement' in cfg.model[part] else 1
            options.append(f'model.{part}.num_layers={layers}')
    if 'taps' in cfg.model.get('neck', {}):
        options.append('model.neck.taps=[1,1,1]')
    if 'glyph_head' in cfg.model:
        options.append('model.glyph_head.segmentation.taps=[1,1,1]')
    if cfg.train_dataloader.dataset.type == 'RenderedTextDataset':
        options.append('train_dataloader.dataset.length=4')
    return options
