"""What the doctor finds."""
from typing import Callable, NamedTuple, Union

OK, NOTE, WRONG = 'ok', 'note', 'wrong'


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        section (str): What it belongs to, such as 'versions'.
        name (str): What was looked at.
        level (str): 'ok'; 'note', which needs nothing done for text
            recognition to work; or 'wrong'.
        text (str): What was found.
        command (str): What mends it, as it is typed in a shell; each 'wrong'
            has one.
    """
    section: str
    name: str
    level: str
    text: str
    command: str = ''


#: Takes findings, one by one; a text says what is tried next.
Say = Callable[[Union[Finding, str]], None]


def ok(section: str, name: str, text: str) -> Finding:
    """Something that is as it should be."""
    return Finding(section, name, OK, text)


def note(section: str, name: str, text: str, command: str = '') -> Finding:
    """Something worth knowing, with what changes it where that is wished."""
    return Finding(section, name, NOTE, text, command)


def wrong(section: str, name: str, text: str, command: str) -> Finding:
    """Something that does not work, with what mends it.

    Raises:
        ValueError: If there is no command.
    """
    if not command:
        raise ValueError(f'{section}, {name}: nothing that mends it')
    return Finding(section, name, WRONG, text, command)
