"""`lmim finetune`: train a recognizer on with words of one's own."""
import argparse
import json
from pathlib import Path
from typing import Any, Dict

from lmim.finetuning import Settings, check_settings, finetune
from lmim.utils.atomic import write_atomic
from lmim.utils.json_text import to_json

from .command import Command, at_least

#: In the folder of the run: what came out.
RESULT = 'finetune.json'


class Finetune(Command):
    """Train a recognizer on with a few hundred words of your own.

    A tenth of the words is held out. Rendered words are mixed in (--keep), so
    that what the recognizer knew is kept. Accuracy is reported before and
    after: on your held-out words, on rendered words, and on the characters
    that your words lack.

    The run is an ordinary one, with its config in the folder. Ended early,
    the same command resumes it; at the end it shows the figures again.
    """

    name = 'finetune'
    example = 'words.txt --out work_dirs/mine'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add, defaults = parser.add_argument, Settings._field_defaults
        add('words', nargs='+', metavar='WORDS',
            help='your pictures with labels: lists with path<TAB>label, LMDBs')
        add('--checkpoint', type=Path,
            help='of the recognizer to start from; nothing in it is executed '
            '(default: the reader that comes with lmim)')
        add('--out', type=Path, required=True, metavar='DIR',
            help='where everything is written')
        add('--keep', type=float, default=defaults['keep'], metavar='SHARE',
            help='the share of rendered words that are mixed in, 0 for none '
            '(default: %(default)s)')
        add('--listed', metavar='FILE',
            help='render the words of this text file or labelled set '
            '(default: made-up words of all characters)')
        add('--updates', type=at_least(20), default=defaults['updates'],
            metavar='N', help='(default: %(default)s)')
        add('--batch-size', type=at_least(1), default=defaults['batch_size'],
            metavar='N', help='(default: %(default)s)')
        add('--lr', dest='rate', type=float, default=defaults['rate'],
            metavar='RATE',
            help='the learning rate at its peak (default: %(default)s)')
        add('--seed', type=int, default=0, help='(default: %(default)s)')
        add('--device', help='where words are read before and after')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Train, and write what came out."""
        args.out = args.out.resolve()
        path = args.out / RESULT
        settings = Settings(*(
            getattr(args, name) for name in Settings._fields))
        if path.is_file():
            check_settings(settings)
            result = json.loads(path.read_text(encoding='utf-8'))
        else:
            result = finetune(settings, args.device)
            write_atomic(path, (to_json(result, indent=2) + '\n').encode())
        return dict(result, result=str(path))

    def report(self, result: Dict[str, Any]) -> str:
        """The accuracies before and after, and where the recognizer is."""
        rows = [('', 'before', 'after')]
        for title, name, key in (
                (f'your {result["held_out"]} held-out words', 'own',
                 'accuracy'),
                ('rendered words', 'rendered', 'accuracy'),
                ('characters that your words lack', 'rendered', 'read')):
            before, after = ('-' if value is None else f'{value:.1%}' for value
                             in (result[when][name][key]
                                 for when in ('before', 'after')))
            rows.append((title, before, after))
        width = max(len(row[0]) for row in rows)
        lines = [f'{title:<{width}}  {before:>7}  {after:>7}'
                 for title, before, after in rows]
        return '\n'.join([
            f'Trained on {result["words"]:,} words of yours.', *lines,
            f'Recognizer: {result["checkpoint"]}',
            f'Written: {result["result"]}'])


main = Finetune().main
