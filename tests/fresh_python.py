"""What happens at import is tried in a Python process of its own."""
import os
import subprocess
import sys
from pathlib import Path

import lmim

#: The folder that has the package ``lmim``.
PACKAGE = Path(lmim.__file__).resolve().parent.parent
#: Only the work-arounds, without the rest of the package.
ALONE = ('import sys, types\n'
         "package = sys.modules['lmim'] = types.ModuleType('lmim')\n"
         f"package.__path__ = [{str(PACKAGE / 'lmim')!r}]\n"
         'from lmim import compat\n')


def run(code: str, *paths: Path) -> str:
    """What a fresh Python prints; ``paths`` come first on its path."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, paths)))
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', code],
                          env=env,
                          capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def fake_package(root: Path, **files: str) -> Path:
    """Write ``name__sub='source'`` as ``root/name/sub.py``."""
    for name, source in files.items():
        path = root.joinpath(*name.split('__')).with_suffix('.py')
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / '__init__.py').touch()
        path.write_text(source, encoding='utf-8')
    return root
