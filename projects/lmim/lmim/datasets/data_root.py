"""The one folder in which all data sets lie, and configs that take it."""
import os
from contextlib import contextmanager
from typing import Iterator, Optional

from mmengine.config import Config

from lmim.utils.log import quiet

#: The environment variable that names it.
DATA_ROOT = 'LMIM_DATA_ROOT'


def read_config(path: str, data_root: Optional[str] = None) -> Config:
    """Read a config with a data root.

    Configs take the data root from the environment at the moment in which
    they are read; a setting that is merged into them comes too late.

    Args:
        path (str): The config file.
        data_root (str, optional): The folder that holds the data sets; the
            environment's where it is None. Defaults to None.
    """
    # Or MMEngine logs the variable for each base config that takes it.
    with quiet(), _environment(data_root):
        cfg = Config.fromfile(path)
    # Without yapf, which lays the whole config out anew for each of four
    # copies and takes more time than everything else before training.
    # MMEngine 0.10.7 forgets the argument of `fromfile` that says so.
    object.__setattr__(cfg, '_format_python_code', False)
    return cfg


def data_root_in_use(data_root: Optional[str] = None) -> str:
    """The folder that the configs take for the data sets.

    Args:
        data_root (str, optional): As of :func:`read_config`.
    """
    return data_root or os.environ.get(DATA_ROOT) or 'data'


@contextmanager
def _environment(data_root: Optional[str]) -> Iterator[None]:
    """Set the data root, and put back what was there."""
    before = os.environ.get(DATA_ROOT)
    if data_root:
        os.environ[DATA_ROOT] = data_root
    elif not before:
        os.environ.pop(DATA_ROOT, None)  # MMEngine refuses an empty one
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(DATA_ROOT, None)
        else:
            os.environ[DATA_ROOT] = before
