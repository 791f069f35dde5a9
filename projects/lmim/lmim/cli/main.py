"""The command line of a tool with sub-commands."""
import argparse
import inspect
import json
from typing import Any, Dict, List, NamedTuple, Optional

from .command import Command
from .guarding import guarded

EXIT_CODES = """exit status:
  0    done (or nothing to do)
  1    not done, or done and something found that is wrong; the message
       says what, and what to do
  2    the command line is wrong
  130  interrupted; nothing half-made is left at the place of the result"""


class Tool(NamedTuple):
    """A tool with sub-commands.

    Attributes:
        name (str): The file in `tools/`.
        description (str): What `--help` says of it.
        commands (Dict[str, Command]): Its sub-commands by name.
    """
    name: str
    description: str
    commands: Dict[str, Command]


def run_tool(tool: Tool, argv: Optional[List[str]] = None) -> int:
    """Run one sub-command.

    Args:
        tool (Tool): Whose sub-command it is.
        argv (list[str], optional): Its name and arguments. Defaults to the
            process's own.

    Returns:
        int: The exit status.
    """
    args = _parser(tool).parse_args(argv)
    return _run(tool.commands[args.command], args)


def run_command(name: str, command: Command,
                argv: Optional[List[str]] = None) -> int:
    """Run a tool that has one command, whose name is not typed.

    Args:
        name (str): The file in `tools/`.
        command (Command): What it does.
        argv (list[str], optional): Its arguments. Defaults to the process's
            own.

    Returns:
        int: The exit status.
    """
    tool = Tool(name, command.summary, {command.name: command})
    parser = argparse.ArgumentParser(prog=name, **_told(tool, command))
    _add_arguments(parser, command)
    args = parser.parse_args(argv)
    args.command = command.name
    return _run(command, args)


def _run(command: Command, args: argparse.Namespace) -> int:
    """Run a command with its arguments; the exit status."""
    status, result = guarded(args.command, args, lambda: command.run(args))
    if result is None:
        return status
    if args.json:
        print(json.dumps({'command': args.command, **result}, indent=2))
    else:
        print(command.report(result))
    return 0 if result.get('ok', True) else 1


def _parser(tool: Tool) -> argparse.ArgumentParser:
    """The parser of all sub-commands."""
    parser = argparse.ArgumentParser(
        prog=tool.name,
        description=tool.description,
        epilog=f'commands:\n{_listing(tool)}\n\n{EXIT_CODES}',
        formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(
        dest='command',
        required=True,
        metavar='COMMAND',
        help='one of those below; COMMAND --help tells of it')
    for name in sorted(tool.commands):
        command = tool.commands[name]
        sub = commands.add_parser(name, **_told(tool, command))
        _add_arguments(sub, command)
    return parser


def _told(tool: Tool, command: Command) -> Dict[str, Any]:
    """What the parser of a command is told of it."""
    return dict(
        description=inspect.getdoc(command),
        epilog=_example(tool, command) + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter)


def _add_arguments(parser: argparse.ArgumentParser,
                   command: Command) -> None:
    """Declare the arguments of a command, and those that all have."""
    command.add_arguments(parser)
    parser.add_argument(
        '--json',
        action='store_true',
        help='print the result as one JSON object on standard output '
        '(progress and errors go to standard error)')
    parser.add_argument(
        '--debug',
        action='store_true',
        help='show where an error was raised')


def _listing(tool: Tool) -> str:
    """All commands, with what each is for."""
    width = max(map(len, tool.commands))
    return '\n'.join(f'  {name:<{width}}  {tool.commands[name].summary}'
                     for name in sorted(tool.commands))


def _example(tool: Tool, command: Command) -> str:
    if not command.example:
        return ''
    return f'example:\n  python tools/{tool.name} {command.example}\n\n'
