"""The command line of the doctor."""
import argparse
import json
import sys
from typing import Any, Dict, Iterator, List, Optional

from . import child
from .finding import WRONG, Finding, note
from .machine import check_machine
from .places import check_places
from .report import as_json, show
from .versions import check_versions

DESCRIPTION = """Look for what is wrong with this installation.

Libraries and their versions, the work-arounds that are active, what devices
compute, shared memory and workers, folders, data sets and fonts. Each finding
is `ok`, a `note` that nothing has to be done about, or `wrong`, with the
command that mends it. It works where lmim cannot be imported."""
EXIT_CODES = """exit status:
  0    nothing is wrong
  1    something is wrong; each such finding has the command that mends it
  2    the command line is wrong
  130  interrupted"""


def main(argv: Optional[List[str]] = None,
         prog: str = 'doctor.py') -> int:
    """Examine, and print the findings.

    Args:
        argv (list[str], optional): Its arguments. Defaults to the process's
            own.
        prog (str): How it was called.

    Returns:
        int: The exit status.
    """
    args = _parser(prog).parse_args(argv)
    options: Dict[str, Any] = dict(thorough=args.thorough,
                                   data_root=args.data_root,
                                   configs=args.configs)
    try:
        findings = list(examine(options, args.work_dir))
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130
    if args.json:
        print(json.dumps(as_json(findings), indent=2))
    else:
        show(findings)
    return int(any(each.level == WRONG for each in findings))


def examine(options: Dict[str, Any],
            work_dir: str = 'work_dirs') -> Iterator[Finding]:
    """Look at everything.

    Args:
        options (Dict[str, Any]): ``thorough`` (bool), ``data_root`` and
            ``configs`` (each a folder, or None).
        work_dir (str): Where results go.
    """
    yield from check_machine()
    yield from check_versions()
    _watching('importing lmim')
    found = child.run('together', options)
    if not any(each.name == 'lmim' for each in found):
        _watching('importing the libraries one by one')
        found = [*found, *child.run('one by one', {}),
                 note('imports', 'lmim', 'not imported, see above; work-'
                      'arounds, workers, data sets and fonts were not looked '
                      'at')]
    imports = [each for each in found if each.section == 'imports']
    yield from imports
    _watching('computing on each device')
    yield from child.run('devices', options)
    yield from check_places(options.get('data_root'), work_dir)
    yield from (each for each in found if each.section != 'imports')


def _watching(what: str) -> None:
    """Tell somebody who waits what takes so long."""
    if sys.stderr.isatty():
        print(f'{what} ...', file=sys.stderr, flush=True)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--data-root', metavar='DIR',
        help='the folder that holds the data sets (default: LMIM_DATA_ROOT of '
        'the environment, else ./data)')
    add('--configs', metavar='DIR',
        help="the folder `configs` of the repository (default: this one's, "
        'else ./configs)')
    add('--work-dir', metavar='DIR', default='work_dirs',
        help='the folder that results go to (default: ./work_dirs)')
    add('--thorough', action='store_true',
        help='try torch.compile as well, which takes up to a minute')
    add('--json', action='store_true',
        help='print the findings as one JSON object on standard output')
    return parser
