"""Where an error was raised, be it in this process or in a worker."""
import re
import traceback
from typing import NamedTuple

#: As Python prints a step of a traceback.
_STEP = re.compile(r'^  File "(.+)", line (\d+), in .+$', re.MULTILINE)


class Origin(NamedTuple):
    """Where an error was raised.

    Attributes:
        file (str): The file of the last step of its traceback.
        line (int): The line there.
        message (str): What it says.
    """
    file: str
    line: int
    message: str


def origin_of(error: BaseException) -> Origin:
    """Where an error was raised, and what it says.

    A worker of a dataloader prints its error, traceback and all, and torch
    makes of that the message of another error of the same type.

    Args:
        error (BaseException): The error, as it was caught.
    """
    text = str(error.args[0] if isinstance(error, KeyError) and error.args
               else error)
    steps = list(_STEP.finditer(text))
    if steps and 'in DataLoader worker process' in text.splitlines()[0]:
        name = re.escape(type(error).__name__)
        said = re.compile(rf'^(?:\w+\.)*{name}: ', re.MULTILINE).search(
            text, steps[-1].end())
        if said is not None:
            return Origin(steps[-1][1], int(steps[-1][2]),
                          text[said.end():].rstrip('\n'))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Origin(frame.filename, frame.lineno or 0, text)
