"""`language`: which letters follow which in words, for CTC recognizers."""
import argparse
from pathlib import Path
from typing import Any, Dict

from lmim.cli import Command, at_least
from lmim.datasets.rendered_text_dataset import read_words
from lmim.utils.atomic import refuse_file, whole_file
from lmim.utils.ctc_language import CharacterNGrams
from lmim.utils.errors import UserError


class Language(Command):
    """Count the n-grams of characters in words, for CTC recognizers.

    A recognizer heeds them by `lmim infer --language OUT.npz`, or by
    model.decoder.postprocessor.language in its config. Upper case and accents
    are no others, digits are all the same, and so is all else.
    """

    name = 'language'
    summary = 'count which letters follow which, for CTC recognizers'
    example = 'language words.txt mine.npz'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('words', nargs='+', metavar='WORDS',
            help='text files with a word, or word<TAB>count, on each line; or '
            'labelled sets')
        add('out', type=Path, metavar='OUT.npz')
        add('--length', type=at_least(1), default=4, metavar='N',
            help='characters that are looked back (default: %(default)s)')
        add('--least', type=float, default=1., metavar='COUNT',
            help='leave out what comes less often (default: %(default)s)')
        add('--overwrite', action='store_true', help='replace OUT.npz')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Count, then write."""
        if args.out.suffix != '.npz':
            raise UserError(f'{args.out} is written as .npz: name it so')
        if not 0 <= args.least < float('inf'):
            raise UserError('--least is a count, 0 or more, not '
                            f'{args.least:g}')
        refuse_file(args.out, args.overwrite)
        counts: Dict[str, float] = {}
        for path in args.words:
            for word, count in read_words(path):
                if word.strip():
                    counts[word] = counts.get(word, 0.) + count
        try:
            found = CharacterNGrams.count(
                counts, args.length, least=args.least)
        except ValueError as error:
            raise UserError(f'{", ".join(args.words)}: {error}') from error
        with whole_file(args.out, args.overwrite) as draft:
            found.save(draft)
        return dict(out=str(args.out), words=len(counts),
                    symbols=found.symbols, contexts=len(found.contexts),
                    bytes=args.out.stat().st_size)

    def report(self, result: Dict[str, Any]) -> str:
        """Report in words."""
        return (f'{result["words"]:,} words of {len(result["symbols"])} '
                f'symbols ({result["symbols"]}): {result["contexts"]:,} '
                f'contexts\nwritten: {result["out"]}, {result["bytes"]:,} '
                'bytes')
