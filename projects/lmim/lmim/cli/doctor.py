"""`lmim doctor`: find what is wrong with this installation.

Run as a file it needs Python alone, and works where lmim or what lmim needs
cannot be imported. Libraries are imported in a child process, which may die
of it.
"""
import argparse
import importlib
import importlib.metadata as metadata
import importlib.util
import json
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import types
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import (Any, Dict, Iterable, Iterator, List, NamedTuple, Optional,
                    Sequence, Tuple, Union)

PACKAGE = Path(__file__).resolve().parent.parent
#: Of a checkout; an installation has the same lines in its metadata.
REQUIREMENTS = PACKAGE.parents[2] / 'requirements.txt'
PYTHON = shlex.quote(sys.executable)
OK, NOTE, WRONG = 'ok', 'note', 'wrong'
#: What tools/setup_env.sh makes environments of.
PYTHONS = (3, 9), (3, 12)
#: Free MB of shared memory below which batches of workers may not fit.
SHARED = 128
#: GB that the checkpoints of a run take (ViT-S, three are kept).
ROOM = 2.
#: The commands of `lmim data`, installed or not.
DATA_TOOL = (f'PYTHONPATH={shlex.quote(str(PACKAGE.parent))} {PYTHON} -m lmim '
             'data')
#: As `lmim.datasets.known_sets` has it, which needs MMEngine.
DATA_ROOT = 'LMIM_DATA_ROOT'
#: Distributions of one package. Whichever is installed is enough.
FAMILIES = (('mmcv-lite', 'mmcv', 'mmcv-full'),
            ('opencv-python', 'opencv-python-headless',
             'opencv-contrib-python', 'opencv-contrib-python-headless'))
#: What to install for a module of another name.
DISTRIBUTIONS = {'PIL': 'pillow', 'cv2': 'opencv-python',
                 'fontTools': 'fonttools', 'mmcv': 'mmcv-lite',
                 'pkg_resources': 'setuptools', 'skimage': 'scikit-image'}
#: In the order in which they need each other; those from torchvision on also
#: need the work-arounds of lmim.compat.
LIBRARIES = ('numpy', 'torch', 'PIL', 'cv2', 'matplotlib', 'fontTools',
             'rapidfuzz', 'rich', 'lmdb', 'mmengine', 'mmcv', 'torchvision',
             'mmdet', 'mmocr', 'mmocr.models', 'mmpretrain',
             'mmpretrain.models', 'lmim')
#: Largest relative error of a matrix product in each precision; rounding alone
#: gives 4e-7 and 3e-3.
LIMITS = {'float32': 1e-4, 'bfloat16': 2e-2}


class Finding(NamedTuple):
    """One thing that was looked at."""
    #: What it belongs to, such as 'versions'.
    section: str
    name: str
    #: 'ok', 'wrong', or 'note', which does not keep lmim from working.
    level: str
    text: str
    #: The command that changes it; each 'wrong' has one.
    fix: str = ''


def pip(verb: str, *words: str) -> str:
    """A command of pip in this Python's environment."""
    if importlib.util.find_spec('pip') is None and shutil.which('uv'):
        # Environments made by uv have no pip.
        kept = [word for word in words if word != '-y']
        return shlex.join(
            ['uv', 'pip', verb, '--python', sys.executable, *kept])
    return f'{PYTHON} -m pip {shlex.join([verb, *words])}'


def check_machine() -> Iterator[Finding]:
    """Python, processor and shared memory."""
    least, last = ('.'.join(map(str, each)) for each in PYTHONS)
    level = OK
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        level = WRONG if sys.version_info < PYTHONS[0] else NOTE
    yield Finding('machine', 'python', level,
                  f'{platform.python_version()}, {sys.executable} (tested: '
                  f'{least} to {last}) on {platform.platform()}, '
                  f'{os.cpu_count()} core(s)', 'bash tools/quickstart.sh')
    if os.path.isdir('/dev/shm'):
        free = shutil.disk_usage('/dev/shm').free // 2**20
        yield Finding('machine', 'shared memory',
                      OK if free >= SHARED else WRONG, f'{free:,} MB free in '
                      '/dev/shm, through which workers send batches (Docker: '
                      '--shm-size=8g)',
                      'sudo mount -o remount,size=8g /dev/shm')


def check_folders(data_root: Optional[str],
                  work_dir: str) -> Iterator[Finding]:
    """Where data lies, and whether results can be written."""
    given = data_root or os.environ.get(DATA_ROOT)
    path = os.path.abspath(given or 'data')
    level, text, fix = OK, path, ''
    if not os.path.isdir(path) and (given or os.path.lexists(path)):
        level, text = WRONG, f'{path} is not a folder'
        fix = (f'export {DATA_ROOT}=FOLDER' if os.path.lexists(path) else
               f'mkdir -p {shlex.quote(path)}')
    elif not os.path.isdir(path):
        level, fix = NOTE, f'{DATA_TOOL} render data/rendered'
        text = (f'{path} does not exist yet ({DATA_ROOT} names another '
                'place); words to try things on:')
    yield Finding('folders', 'data root', level, text, fix)
    place = Path(work_dir).absolute()
    nearest = next(each for each in (place, *place.parents) if each.exists())
    quoted = shlex.quote(str(nearest))
    free = shutil.disk_usage(nearest).free / 2**30
    level, fix = NOTE if free < ROOM else OK, f'df -h {quoted}'
    text = f'{place}, {free:.1f} GB free (ViT-S takes {ROOM:.0f})'
    try:
        with tempfile.TemporaryFile(dir=nearest) as file:
            file.write(b'lmim')
    except OSError as error:
        level, fix = WRONG, (f'chmod -R u+w {quoted}' if nearest.is_dir() else
                             f'mv {quoted} {quoted}.old')
        text = f'{place} cannot be written to: {error.strerror}'
    yield Finding('folders', 'work dir', level, text, fix)


def family(name: str) -> Sequence[str]:
    """All distributions that have the package of this one."""
    return next((each for each in FAMILIES if name in each), (name, ))


@lru_cache(maxsize=None)
def installed() -> Dict[str, str]:
    """The version of each distribution that Python finds."""
    found: Dict[str, str] = {}
    for each in metadata.distributions():
        name = each.metadata['Name'] if each.metadata else None
        if name:  # an interrupted removal leaves nameless ones
            found.setdefault(re.sub(r'[-_.]+', '-', name).lower(),
                             each.version)
    return found


def requirements() -> Dict[str, str]:
    """What lmim requires of each distribution, by its name."""
    lines = (REQUIREMENTS.read_text(encoding='utf-8').splitlines()
             if REQUIREMENTS.is_file() else metadata.requires('lmim') or [])
    return {re.split('[<>=!~]', line)[0]: line for line in lines
            if line and not line.startswith('#') and ';' not in line}


def install(name: str, there: Iterable[str]) -> str:
    """The command that installs what lmim needs of a distribution.

    Others of its family, which have the same files, go first.
    """
    command = pip('install', requirements().get(name, name))
    old = [each for each in family(name) if each in there]
    if len(family(name)) > 1 and old:
        command = f'{pip("uninstall", "-y", *old)} && {command}'
    return command


def reinstall(name: str) -> str:
    """The command that brings a library anew, in the version that is there."""
    name = DISTRIBUTIONS.get(name, name)
    # Without how it was built: not every index has `+cpu`.
    version = installed().get(name, '').split('+')[0]
    return pip('install', '--force-reinstall', '--no-deps', '--no-cache-dir',
               f'{name}=={version}' if version else name)


def check_versions(versions: Dict[str, str]) -> Iterator[Finding]:
    """Compare the distributions that are installed with requirements.txt."""
    place = next((each for each in ('packaging', 'pip._vendor.packaging')
                  if importlib.util.find_spec(each.split('.')[0])), None)
    if place is None:
        yield Finding('versions', 'packaging', WRONG, 'not installed, so that '
                      'versions are not compared', pip('install', 'packaging'))
        return
    module = importlib.import_module(f'{place}.requirements')
    for name, line in requirements().items():
        there = {each: versions[each] for each in family(name)
                 if each in versions}
        allowed = module.Requirement(line).specifier
        level, text = OK, ' and '.join(
            f'{version} ({each})' if each != name else version
            for each, version in there.items())
        if not there:
            level, text = WRONG, 'not installed'
        elif not any(allowed.contains(version, prereleases=True)
                     for version in there.values()):
            level, text = WRONG, f'{text}, but lmim needs {line}'
        elif len(there) > 1:
            level = NOTE if len(set(there.values())) == 1 else WRONG
            text += ' are one package: the one installed last has the files'
        yield Finding('versions', name, level, text,
                      install(name, there) if level != OK else '')


def run_child(time_limit: float = 600.) -> List[Finding]:
    """Import and compute in a child process, whose death is a finding."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / 'findings'
        output.touch()
        try:
            done = subprocess.run(
                [sys.executable, '-W', 'ignore', __file__, '--child',
                 str(output)], stdin=subprocess.DEVNULL, capture_output=True,
                timeout=time_limit)
            code = done.returncode
            end = signal.Signals(-code).name if code < 0 else str(code)
            ended = ' '.join([f'ended with {end}', *done.stderr.decode(
                errors='replace').strip().splitlines()[-1:]])
        except subprocess.TimeoutExpired:
            ended = f'did not end in {time_limit:g} s'
        said = [json.loads(line) for line in
                output.read_text(encoding='utf-8').splitlines()]
    findings = [Finding(*each) for each in said if not isinstance(each, str)]
    doing = [each for each in ['numpy', *said] if isinstance(each, str)][-1]
    if doing != 'end':
        findings.append(Finding(
            'imports', doing, WRONG, f'the process that tried it {ended}',
            f'{PYTHON} -X faulthandler -c "import {doing}"'))
    return findings


def examine() -> Iterator[Union[Finding, str]]:
    """Import and compute; a text is the name of what is tried next."""
    broken: List[str] = []
    done: Dict[str, Any] = {}
    for name in LIBRARIES:
        if broken and name in ('torchvision', 'lmim'):
            break  # it needs all those before
        yield name
        try:
            if name == 'torchvision':
                # An empty package in place of lmim, which would import all.
                package = sys.modules['lmim'] = types.ModuleType('lmim')
                package.__path__ = [str(PACKAGE)]
                compat = importlib.import_module('lmim.compat')
                done = compat.install()
            if name == 'lmim':
                del sys.modules['lmim']
                sys.path.insert(0, str(PACKAGE.parent))
            importlib.import_module(name)
        except Exception as error:  # each library has its own
            if str(error) not in broken:  # or others need the same
                yield Finding('imports', name, WRONG,
                              *describe(name, error))
            broken.append(str(error))
    if broken:
        yield Finding('imports', 'lmim', NOTE, 'not imported, see above')
        done = {}
    else:
        yield Finding('imports', 'lmim', OK, f'in {PACKAGE}, and all it needs')
    for name, result in done.items():
        purpose = compat.WORKAROUNDS[name].__doc__.split('\n')[0]
        yield Finding('imports', f'work-around {name}', OK,
                      f'{"active" if result else "not needed"} '
                      f'({purpose.rstrip(".")})')
    yield 'torch'
    yield from check_devices(whole=not broken)
    yield 'end'


#: A pattern of an import error's message, what it means, and what to install.
KNOWN_ERRORS = (
    (r'numpy\.core\.multiarray failed|_ARRAY_API not found|numpy\.dtype size '
     r'changed|Numpy is not available|compiled using NumPy 1',
     'it was built for NumPy 1, and NumPy 2 is installed', 'numpy<2'),
    (r'libGL|libgthread', 'OpenCV needs libraries of a desktop',
     'opencv-python-headless'),
    (r'(?i)mmcv', 'the versions exclude one another', 'mmcv-lite'),
    (r'(?i)mmengine', 'the versions exclude one another', 'mmengine'),
    (r'(?i)mmdet', 'the versions exclude one another', 'mmdet'),
    (r'undefined symbol|torchvision::|_C\b', 'it is built for another torch',
     'torchvision'),
)


def describe(name: str, error: BaseException) -> Tuple[str, str]:
    """What an error at the import of a module means, and what fixes it."""
    message = ' '.join(str(error).split())[:300]
    raised = f'{type(error).__name__}: {message}'
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.split('.')[0]
        library = DISTRIBUTIONS.get(missing, missing)
        if library in installed() and missing != 'pkg_resources':
            return f'{library} is not whole: {raised}', reinstall(library)
        return f'{missing} is not installed ({raised})', install(library, ())
    for pattern, meaning, library in KNOWN_ERRORS:
        if re.search(pattern, message):
            fix = install(library, installed())
            if library == 'torchvision':
                torch = installed().get('torch', '').split('+')[0]
                fix = pip('install', '--force-reinstall', '--no-cache-dir',
                          f'torch=={torch}', 'torchvision')
            return f'{meaning} ({raised})', fix
    return raised, reinstall(name.split('.')[0])


def check_devices(whole: bool) -> Iterator[Finding]:
    """Compute a product on each device in each precision.

    Where lmim imports, the precision that training chooses comes with it.
    """
    numpy, torch = map(sys.modules.get, ('numpy', 'torch'))
    if numpy is None or torch is None:
        yield Finding('devices', 'all', NOTE, 'not tried without torch')
        return
    try:
        torch.from_numpy(numpy.zeros(1)).numpy()
    except Exception as error:
        yield Finding('devices', 'arrays', WRONG, *describe('numpy', error))
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    yield Finding('devices', 'torch', OK, f'{torch.__version__}, '
                  f'{torch.get_num_threads()} thread(s), {count} GPU(s)')
    if not count and shutil.which('nvidia-smi'):
        listed = subprocess.run(['nvidia-smi', '-L'], capture_output=True,
                                text=True, timeout=60)
        if listed.stdout.startswith('GPU'):
            yield unused_gpu(torch.version.cuda)
    for device in ['cpu', *(f'cuda:{index}' for index in range(count))]:
        for precision in LIMITS:
            yield check_product(torch, device, precision)
    if whole:
        chosen = importlib.import_module(
            'lmim.engine.precision').choose_precision()
        yield Finding('devices', '--precision auto', OK,
                      f'{chosen.name} ({chosen.reason})')
        way = importlib.import_module('lmim.ops').deform_conv_way
        stands_in = importlib.import_module(
            'lmim.compat').provide_mmcv_deform_conv()
        yield Finding(
            'devices', 'deformable convolution', OK, '; '.join(
                f'{kind}: {way(kind)}'
                for kind in ['cpu', *['cuda'] * bool(count)]) +
            (", also in mmcv's DCN and DCNv2" if stands_in else
             "; in mmcv's DCN and DCNv2 its own operator"))


def unused_gpu(cuda: Optional[str]) -> Finding:
    """Why torch, built for a version of CUDA or None, has no GPU."""
    if cuda is None:
        return Finding(
            'devices', 'cuda', WRONG, 'there is a GPU, and torch is built '
            'without CUDA',
            pip('install', '--force-reinstall', 'torch', 'torchvision'))
    if 'CUDA_VISIBLE_DEVICES' in os.environ:
        return Finding('devices', 'cuda', NOTE, 'CUDA_VISIBLE_DEVICES hides '
                       'the GPU', 'unset CUDA_VISIBLE_DEVICES')
    return Finding(
        'devices', 'cuda', WRONG, f'torch for CUDA {cuda} cannot use the GPU: '
        'the driver is older, or this torch no longer supports the GPU '
        '(pytorch.org/get-started lists the builds)',
        f'{PYTHON} -c "import torch; torch.zeros(1).cuda()"')


def check_product(torch: Any, device: str, precision: str) -> Finding:
    """Whether a matrix product is right."""
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(384, 384, generator=generator) for _ in 'ab')
    exact, kind = left.double() @ right.double(), getattr(torch, precision)
    level = OK
    try:
        product = left.to(device, kind) @ right.to(device, kind)
        away = float((product.double().cpu() - exact).norm() / exact.norm())
        text = f'a matrix product is off by {away:.1e}'
        if not away <= LIMITS[precision]:  # nan is not
            level = WRONG
            text += f', where rounding gives at most {LIMITS[precision]:.0e}'
    except Exception as error:  # torch raises many kinds
        level = WRONG if precision == 'float32' else NOTE
        text = f'not available: {str(error).splitlines()[0]}'
    return Finding('devices', f'{device} {precision}', level, text,
                   reinstall('torch'))


def report(findings: Sequence[Finding]) -> str:
    """The findings by section; the commands of what is wrong at the end."""
    lines: List[str] = []
    width = max((len(each.name) for each in findings), default=0)
    for section, group in groupby(findings, lambda each: each.section):
        lines.append(section)
        for each in group:
            lines.append(f'  {each.level:5}  {each.name:{width}}  {each.text}')
            if each.fix and each.level != OK:
                lines.append(f'  {"":5}  {"":{width}}    $ {each.fix}')
    wrong = [each for each in findings if each.level == WRONG]
    lines += ['', f'{len(wrong)} wrong. Fix it with:' if wrong else
              '0 wrong. Nothing keeps lmim from working here.']
    fixes = dict.fromkeys(f'  {each.fix}' for each in wrong)
    return '\n'.join([*lines, *fixes])


def main(argv: Optional[List[str]] = None) -> int:
    """Examine, and print the findings; 1 where something is wrong."""
    parser = argparse.ArgumentParser(
        prog='lmim doctor',
        description='Find what is wrong with this installation, and the '
        'commands that fix it. It also works where lmim cannot be imported.',
        epilog='exit status: 0 nothing is wrong; 1 something is; 2 the '
        'command line is')
    add = parser.add_argument
    add('--data-root', metavar='DIR', help='the folder that holds the data '
        'sets (default: LMIM_DATA_ROOT of the environment, else ./data)')
    add('--work-dir', metavar='DIR', default='work_dirs', help='the folder '
        'that results go to (default: ./work_dirs)')
    add('--json', action='store_true', help='print one JSON object')
    add('--child', help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.child:  # it writes each finding, and what is tried, as it comes
        sys.path.remove(str(Path(__file__).resolve().parent))
        with open(args.child, 'w', encoding='utf-8', buffering=1) as file:
            for what in examine():
                file.write(json.dumps(what) + '\n')
        os._exit(0)  # threads of half-imported libraries may not end
    findings = [*check_machine(), *check_versions(installed()), *run_child(),
                *check_folders(args.data_root, args.work_dir)]
    good = all(each.level != WRONG for each in findings)
    if args.json:
        print(json.dumps({'ok': good, 'findings': [
            each._asdict() for each in findings]}, indent=2))
    else:
        sys.stdout.reconfigure(errors='backslashreplace')  # type: ignore
        print(report(findings))
    return int(not good)


if __name__ == '__main__':
    sys.exit(main())
