"""`groups`: which letters frozen encoders tell apart by themselves."""
import argparse
from pathlib import Path
from typing import Any, Dict

from lmim.apis import load_encoder
from lmim.cli import Command, at_least
from lmim.evaluation.letter_groups import compare_groups, scores
from lmim.evaluation.probes import draw_words
from lmim.rendering import STYLES
from lmim.utils.atomic import refuse_file
from lmim.utils.errors import UserError
from lmim.visualization import save_picture
from lmim.visualization.groups import draw_group_sheet
from .attention import checkpoint_names, configs_of

#: Kinds of groups that are drawn.
DRAWN = ('HSG', )


class Groups(Command):
    """Group the patches of words by what frozen encoders make of them.

    A grouping head (HSG) is trained on the patches of each encoder, without
    labels, and groups those of words and fonts that it has not seen: fine and
    coarse groups are drawn over the word, and all are scored by the letters
    that were drawn. Beside them stand k-means of the same patches, of those
    of a random encoder and of colours, equal widths, and the best that
    patches of this size allow.
    """

    name = 'groups'
    summary = 'letters that encoders tell apart by themselves'
    example = 'groups --checkpoint mae.pth lmim.pth'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--checkpoint', nargs='+', required=True, type=Path,
            metavar='FILE', help='one, or several to compare')
        add('--config', nargs='+', type=Path, metavar='CONFIG',
            help='where checkpoints carry none: one for all, or one for each')
        add('--groups', nargs='+', type=at_least(2), default=[8, 4],
            metavar='K', help='groups of a word, fine to coarse (default: 8 '
            '4)')
        add('--words', type=at_least(2), default=300, metavar='N',
            help='words that are scored (default: %(default)s)')
        add('--train-words', type=at_least(2), default=1000, metavar='N',
            help='words that heads are trained on (default: %(default)s)')
        add('--steps', type=at_least(1), default=200, metavar='N',
            help='of the training of a head (default: %(default)s)')
        add('--style', choices=sorted(STYLES), default='print',
            help='of the words (default: %(default)s)')
        add('--min-length', type=at_least(1), default=3,
            help='least characters of a word (default: %(default)s)')
        add('--max-length', type=at_least(1), default=5,
            help='most characters of a word (default: %(default)s)')
        add('-n', '--number', type=at_least(1), default=6, metavar='N',
            help='the most words that are drawn (default: %(default)s)')
        add('--seed', type=at_least(0), default=0,
            help='of heads and of the random encoder (default: %(default)s)')
        add('-o', '--output', type=Path, default=Path('groups.png'),
            metavar='FILE', help='the PNG to write (default: %(default)s)')
        add('--overwrite', action='store_true',
            help='replace the picture if it exists')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Train heads, group, score and draw."""
        if args.output.suffix.lower() != '.png':
            raise UserError(f'--output {args.output} is to end in .png')
        refuse_file(args.output, args.overwrite)
        encoders = {name: load_encoder(path, config) for name, path, config
                    in zip(checkpoint_names(args.checkpoint), args.checkpoint,
                           configs_of(args))}
        sizes = {encoder.img_size for encoder in encoders.values()}
        if len(sizes) > 1:
            raise UserError(
                'the encoders take images of several sizes (height, width), '
                f'{sorted(sizes)}: compare those of one size at a time')
        size, = sizes
        settings: Dict[str, Any] = dict(
            style=args.style, lengths=(args.min_length, args.max_length))
        train, test = (draw_words(number, size, part, **settings)
                       for part, number in (('train', args.train_words),
                                            ('test', args.words)))
        found = compare_groups(encoders, train, test, args.groups, args.steps,
                               args.seed)
        drawn = [each for each in found if each.method in DRAWN]
        shown = slice(min(args.number, len(test.images)))
        save_picture(draw_group_sheet(
            test.images[shown], test.letters[shown],
            [f'{each.features}: {each.groups} groups, ARI {each.ari:.2f}'
             for each in drawn],
            [each.maps[shown] for each in drawn], test.texts[shown]),
            args.output)
        return {'output': str(args.output), 'words': len(test.images),
                'train_words': len(train.images), 'steps': args.steps,
                'seed': args.seed, **settings, 'scores': scores(found)}

    def report(self, result: Dict[str, Any]) -> str:
        """Say the scores."""
        lines = [f'{result["words"]} words of {result["style"]}, of which '
                 f'some are drawn in {result["output"]}',
                 f'{"patches of":30} {"groups by":13} {"most":>4} {"ARI":>6} '
                 f'{"mIoU":>6}']
        lines += ['{features:30} {method:13} {groups:4} {ari:6.3f} {iou:6.3f}'
                  .format(**row) for row in result['scores']]
        return '\n'.join(lines)
