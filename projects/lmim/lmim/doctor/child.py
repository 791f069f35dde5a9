"""Runs a part of the doctor in a process of its own, which may die."""
import json
import os
import signal
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, List

from . import shell
from .finding import Finding, wrong

PACKAGE = Path(__file__).resolve().parents[1]
#: What runs in a child: the module and its function, which takes the options
#: and what it says findings to.
PARTS = {
    'together': 'importing.import_together',
    'one by one': 'importing.import_one_by_one',
    'devices': 'devices.check_devices',
}
TIME_LIMIT = 600.
#: An empty package in the place of `lmim`, whose modules are found all the
#: same. The working folder, which `-c` puts first, is no place for libraries.
BOOT = """import sys, types
sys.path[:] = [path for path in sys.path if path]
package = sys.modules['lmim'] = types.ModuleType('lmim')
package.__path__ = [{package!r}]
from lmim.doctor.child import work
work({part!r}, {output!r}, {options!r})"""


def run(part: str, options: Dict[str, Any],
        time_limit: float = TIME_LIMIT) -> List[Finding]:
    """Run a part; a crash is a finding as well.

    Args:
        part (str): One of :data:`PARTS`.
        options (Dict[str, Any]): What its function takes.
        time_limit (float): Seconds after which it is ended.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, 'findings')
        code = BOOT.format(package=str(PACKAGE), part=part, output=output,
                           options=options)
        command = [sys.executable, '-W', 'ignore', '-c', code]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=time_limit)
            ended = _told_end(done.returncode, done.stderr)
        except subprocess.TimeoutExpired:
            ended = f'did not end in {time_limit:g} s'
        findings, doing, whole = _read(output)
    if whole:
        return findings
    return [*findings, wrong(
        'imports' if part != 'devices' else 'devices', doing,
        f'the process that tried it {ended}',
        f'{shell.python()} -X faulthandler -c "import {_module(doing)}"')]


def work(part: str, output: str, options: Dict[str, Any]) -> None:
    """Be the child: write each finding as a line of JSON."""
    with open(output, 'w', encoding='utf-8', buffering=1) as file:

        def say(what: Any) -> None:
            file.write(json.dumps(what) + '\n')

        module, function = PARTS[part].rsplit('.', 1)
        getattr(import_module(f'lmim.doctor.{module}'), function)(options, say)
        say('whole')
    # Worker processes and threads of half-imported libraries may not end.
    os._exit(0)


def _read(path: str) -> tuple:
    """The findings; what was being done last; whether it came to its end.

    A text is what is done next, or ``'whole'`` at the end.
    """
    findings: List[Finding] = []
    doing = 'torch'
    if os.path.exists(path):
        with open(path, encoding='utf-8') as file:
            for line in file:
                what = json.loads(line)
                if what == 'whole':
                    return findings, doing, True
                if isinstance(what, str):
                    doing = what
                else:
                    findings.append(Finding(*what))
    return findings, doing, False


def _told_end(code: int, stderr: bytes) -> str:
    """How a process ended, in words."""
    if code < 0:
        name = signal.Signals(-code).name
        why = {'SIGILL': ', an instruction that this CPU does not have',
               'SIGKILL': ', most likely as memory ran out'}.get(name, '')
        return f'was ended by {name}{why}'
    lines = stderr.decode(errors='replace').strip().splitlines()
    return f'ended with {code}: {lines[-1] if lines else "no message"}'


def _module(doing: str) -> str:
    return doing if doing.isidentifier() else 'lmim'
