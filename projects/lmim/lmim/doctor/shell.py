"""Commands that mend something, as they are typed in a shell."""
import importlib.util
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Iterable

#: The repository's scripts, where the package lies in it.
TOOLS = Path(__file__).resolve().parents[4] / 'tools'


def quoted(words: Iterable[str]) -> str:
    """Words as a shell takes them."""
    if os.name == 'nt':
        return ' '.join(word if word.replace('-', '').isalnum() else
                        f'"{word}"' for word in words)
    return ' '.join(map(shlex.quote, words))


def python() -> str:
    """This Python, by its short name where a shell would find it."""
    for name in ('python', 'python3'):
        found = shutil.which(name)
        # Not by realpath: that of a virtual environment is the system's.
        if found and os.path.normcase(found) == os.path.normcase(
                sys.executable):
            return name
    return quoted([sys.executable])


def tool(name: str, *words: str) -> str:
    """A command of lmim, which is also there without the repository."""
    script = TOOLS / f'{name}.py'
    if not script.is_file():
        return f'{python()} -m lmim {quoted([name, *words])}'
    near = os.path.relpath(script)
    path = str(script) if near.startswith(os.pardir) else near
    return f'{python()} {quoted([path, *words])}'


def pip(verb: str, *words: str) -> str:
    """A command of pip in this Python's environment.

    Args:
        verb (str): 'install' or 'uninstall'.
        *words (str): Its options and requirements.
    """
    if importlib.util.find_spec('pip') is None and shutil.which('uv'):
        # Environments made by uv have no pip.
        kept = [word for word in words if word != '-y']
        return quoted(['uv', 'pip', verb, '--python', sys.executable, *kept])
    return f'{python()} -m pip {quoted([verb, *words])}'


def install(*requirements: str) -> str:
    """Install, or change a version."""
    return pip('install', *requirements)


def replace(old: Iterable[str], new: str) -> str:
    """Put one distribution in the place of others of the same package.

    pip does not know that they have files in common: removing one takes files
    of the other away, so all go first.
    """
    return f'{pip("uninstall", "-y", *old)} && {install(new)}'
