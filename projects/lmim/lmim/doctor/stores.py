"""Where pictures come from: data sets, workers, fonts."""
import os.path as osp
from typing import Any, Dict, Iterator, List

from . import shell
from .finding import Finding, Say, note, ok, wrong

SECTION = 'data'
#: Seconds that a worker may take to start.
PATIENCE = 60
#: One that every Chinese font has.
CHINESE = '文'


def check_stores(options: Dict[str, Any], say: Say) -> None:
    """Look at the data sets, a data-loader worker and the fonts.

    Args:
        options (Dict[str, Any]): ``data_root``: the folder that holds the
            data sets, None for that of the environment; ``configs``: the
            folder `configs`, None for that of the repository.
        say (Callable): Takes the findings.
    """
    for finding in check_sets(options):
        say(finding)
    say('a data-loader worker')
    say(worker())
    for finding in check_fonts():
        say(finding)


def check_sets(options: Dict[str, Any]) -> Iterator[Finding]:
    """Which of the data sets that the configs know are there."""
    from lmim.datasets.known_sets import read_catalogue
    from lmim.datasets.known_sets import data_root_in_use
    root = osp.abspath(data_root_in_use(options.get('data_root')))
    try:
        known = read_catalogue(options.get('configs'),
                               options.get('data_root'))
    except FileNotFoundError as error:
        yield note(SECTION, 'data sets', str(error))
        return
    names: Dict[str, List[str]] = {'yes': [], 'no': [], 'in part': []}
    for each in known:
        title = f'{each.published["name"]} ({each.kind})'
        if title not in names[each.there]:
            names[each.there].append(title)
    found, partly = names['yes'], names['in part']
    listing = shell.tool('data', 'list', '--data-root', root)
    yield (ok if found else note)(
        SECTION, 'data sets found',
        f'{len(found)} of {sum(map(len, names.values()))} in {root}'
        + (f': {", ".join(found)}' if found else ''),
        *([] if found else [listing]))
    if partly:
        yield note(SECTION, 'data sets, in part', ', '.join(partly), listing)
    if found and names['no']:
        missing = names['no']
        more = f' and {len(missing) - 5} more' if len(missing) > 5 else ''
        yield note(SECTION, 'data sets missing',
                   ', '.join(missing[:5]) + more, listing)


def worker() -> Finding:
    """Start a data-loader worker and take a batch from it."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset
    pictures = torch.arange(64 * 3 * 32 * 128, dtype=torch.int64)
    pictures = (pictures % 251).to(torch.uint8).view(64, 3, 32, 128)
    try:
        loader = DataLoader(TensorDataset(pictures), batch_size=64,
                            num_workers=1, timeout=PATIENCE)
        batch = next(iter(loader))[0]
    except Exception as error:  # of the worker, of shared memory, of time
        return wrong(SECTION, 'worker', 'a data-loader worker delivers no '
                     f'batch: {" ".join(str(error).split())[:300]}',
                     shell.tool('train', 'CONFIG', '--cfg-options',
                                'train_dataloader.num_workers=0',
                                'train_dataloader.persistent_workers=False'))
    if not torch.equal(batch, pictures):
        return wrong(SECTION, 'worker', 'a batch does not arrive as it was '
                     'sent', 'sudo mount -o remount,size=8g /dev/shm')
    return ok(SECTION, 'worker', 'a data-loader worker started and delivered '
              'a batch')


def check_fonts() -> Iterator[Finding]:
    """Fonts for words to be rendered, and for Chinese."""
    from lmim.rendering.fonts import find_fonts, font_file_with
    try:
        fonts = find_fonts('abc')
    except (FileNotFoundError, ValueError) as error:
        yield wrong(SECTION, 'fonts', f"matplotlib's are missing: {error}",
                    shell.install('--force-reinstall', '--no-deps',
                                  'matplotlib'))
    else:
        yield ok(SECTION, 'fonts', f'{len(fonts)} of matplotlib draw words')
    chinese = font_file_with(CHINESE)
    if chinese is None:
        yield note(SECTION, 'Chinese fonts', 'none: Chinese words cannot be '
                   'rendered, and pictures show them as numbers',
                   'sudo apt-get install -y fonts-noto-cjk')
    else:
        yield ok(SECTION, 'Chinese fonts', chinese)
