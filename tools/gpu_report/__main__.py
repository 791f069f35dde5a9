"""Run the parts one after the other, and write what they found."""
import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import numpy
import torch

from lmim.utils.machine import processor_name

# This folder is started by its path: `python tools/gpu_report`.
TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS))

from gpu_report.chapter import chapter  # noqa: E402
from gpu_report.rows import read_rows  # noqa: E402


class Part(NamedTuple):
    """A part: its module, and the share of the minutes that it may take."""
    name: str
    share: float


#: In order of worth. What one leaves over is for those that follow.
PARTS = [
    Part('correctness', 0.15),
    Part('speed', 0.4),
    Part('loading', 0.2),
    Part('learning', 1.),
]
#: Seconds that are left for writing, when all parts are stopped.
RESERVE = 10.


def parse_args(argv: Optional[List[str]] = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='bash tools/gpu_report.sh', description=__doc__)
    add = parser.add_argument
    add('--out', type=Path, required=True, help='where all is written')
    add('--started', type=float, default=time.time(),
        help='when, in seconds since 1970')
    add('--minutes', type=float, default=9., help='(default: 9)')
    add('--device', choices=['cuda', 'cpu'], default='cuda',
        help='(default: cuda)')
    add('--quick', action='store_true',
        help='small models and few steps: to try the script itself')
    add('--data', type=Path,
        help='a folder of LMDBs with labels, real words to be read at the '
        'end, by the names of the sets; and of words.txt, what is rendered')
    add('--parts', nargs='+', choices=[part.name for part in PARTS],
        default=[part.name for part in PARTS], help='(default: all)')
    return parser.parse_args(argv)


def machine_of(device: str) -> Dict[str, Any]:
    """What the figures are of."""
    gpu = ({'GPU': torch.cuda.get_device_name(), 'CUDA': torch.version.cuda}
           if device == 'cuda' else {})
    return {**gpu, 'CPU': processor_name(), 'cores': os.cpu_count(),
            'Python': platform.python_version(), 'torch': torch.__version__,
            'NumPy': numpy.__version__}


def run_part(part: Part, args: argparse.Namespace, seconds: float
             ) -> Dict[str, Any]:
    """Run a part in a process of its own; how it ended."""
    rows, log = (args.out / f'{part.name}.{kind}' for kind in ('jsonl', 'log'))
    rows.unlink(missing_ok=True)
    command = [sys.executable, '-m', f'gpu_report.{part.name}', '--rows',
               str(rows), '--out', str(args.out), '--device', args.device,
               '--seconds', str(round(seconds))]
    command += ['--quick'] if args.quick else []
    command += ['--data', str(args.data)] if args.data else []
    env = dict(os.environ, PYTHONUNBUFFERED='1', PYTHONPATH=os.pathsep.join(
        [str(TOOLS), str(TOOLS.parent / 'projects/lmim'),
         os.environ.get('PYTHONPATH', '')]))
    if args.device == 'cpu':
        env['CUDA_VISIBLE_DEVICES'] = ''
    start = time.monotonic()
    with log.open('wb') as file:
        # In a session of its own, so that all of its workers end with it.
        process = subprocess.Popen(command, stdout=file, env=env,
                                   stderr=subprocess.STDOUT,
                                   start_new_session=True)
        try:
            code: Optional[int] = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            code = None
    state = ('stopped at its limit' if code is None else
             'done' if code == 0 else f'failed, exit status {code}')
    last = log.read_text(errors='replace').strip().split('\n')[-1]
    return {'part': part.name, 'state': state, 'limit s': round(seconds),
            'seconds': round(time.monotonic() - start, 1),
            **({} if code == 0 else {'last line': last[-300:]})}


def main() -> int:
    """Run them; 1 if one failed."""
    args = parse_args()
    end = args.started + 60 * args.minutes - RESERVE
    report: Dict[str, Any] = {
        'machine': machine_of(args.device), 'quick': args.quick, 'parts': [],
        'tables': {}}
    for part in PARTS:
        if part.name not in args.parts:
            continue
        left = end - time.time()
        seconds = min(part.share * 60 * args.minutes, left)
        if seconds < 5:
            ended = {'part': part.name, 'state': 'no time was left'}
        else:
            print(f'{part.name}: {seconds:.0f} s at most, {left:.0f} s left',
                  flush=True)
            ended = run_part(part, args, seconds)
        print(' '.join(f'{key}: {value}' for key, value in ended.items()),
              flush=True)
        report['parts'].append(ended)
        for row in read_rows(args.out / f'{part.name}.jsonl'):
            report['tables'].setdefault(row.pop('table'), []).append(row)
        (args.out / 'report.json').write_text(json.dumps(report, indent=1))
        (args.out / 'report.md').write_text(chapter(report))
    print(args.out / 'report.md', args.out / 'report.json', sep='\n')
    return int(any(not str(part['state']).startswith(('done', 'stopped'))
                   for part in report['parts']))


if __name__ == '__main__':
    sys.exit(main())
