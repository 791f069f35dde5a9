"""`lmim pool`: labelled pictures that a recognizer looks at as it reads."""
import argparse
import random
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from lmim.apis.recognizer import TextRecognizer
from lmim.datasets.labels.reading import iter_labels
from lmim.datasets.decoding import decode_image
from lmim.datasets.records import UnreadableRecordError, open_sources
from lmim.models.textrecog import PromptPool
from lmim.utils.atomic import refuse_file
from lmim.utils.errors import UserError, some

from . import Command, Tool, at_least

#: Name, picture (BGR) and text.
Labelled = Tuple[str, np.ndarray, str]
#: Pictures that are added at once.
BATCH = 64

DESCRIPTION = """Labelled pictures that an in-context recognizer looks at.

A recognizer of configs/textrecog/in_context reads a picture behind those of
its pool that are most like it, and is adapted by them without training. A pool
is one file. It belongs to the weights that made it.

  lmim pool make words.txt pool.safetensors --checkpoint epoch_10.pth
  lmim infer pictures/ --checkpoint epoch_10.pth --pool pool.safetensors

`COMMAND --help` tells of each."""


class PoolCommand(Command):
    """A command on a pool and, mostly, the recognizer that reads with it."""

    needs_words = False
    needs_recognizer = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        if self.needs_words:
            add('words', nargs='+', metavar='WORDS',
                help='pictures with labels: lists with path<TAB>label, LMDBs')
        add('pool', type=Path, metavar='POOL', help='the file of the pool')
        if not self.needs_recognizer:
            return
        add('--checkpoint', type=Path, required=True,
            help='of an in-context recognizer')
        add('--config', type=Path,
            help='its config, where the checkpoint carries none')
        add('--device', help='(default: a GPU if there is one)')

    @staticmethod
    def add_limit(parser: argparse.ArgumentParser) -> None:
        """Declare what takes some of the pictures."""
        parser.add_argument(
            '--limit', type=at_least(1), metavar='N',
            help='take so many, drawn by chance (default: all)')
        parser.add_argument('--seed', type=int, default=0,
                            help='of that chance (default: %(default)s)')

    @staticmethod
    def recognizer(args: argparse.Namespace) -> TextRecognizer:
        """The recognizer, without a pool; refused if it takes none."""
        reader = TextRecognizer(args.checkpoint, args.config, args.device)
        reader.in_context()
        return reader

    @staticmethod
    def add_words(reader: TextRecognizer, words: Sequence[Labelled]
                  ) -> List[str]:
        """Add labelled pictures: what was left out, and why."""
        left_out = []
        for start in range(0, len(words), BATCH):
            batch = words[start:start + BATCH]
            try:
                _add(reader, batch)
            except (UserError, UnreadableRecordError):
                for word in batch:  # which of them it is
                    try:
                        _add(reader, [word])
                    except (UserError, UnreadableRecordError) as error:
                        left_out.append(f'{word[0]}: {error}')
        return left_out

    def report(self, result: Dict[str, Any]) -> str:
        """How many prompts there are now, and what was left out."""
        lines = [f'{result["pool"]}: {result["prompts"]:,} labelled pictures']
        left_out = result.get('left_out', [])
        if left_out:
            lines.append(f'{len(left_out):,} left out: {some(left_out, 3)}')
        return '\n'.join(lines)

    def result(self, pool: PromptPool, **more: Any) -> Dict[str, Any]:
        """What was done."""
        return dict(pool=str(pool.path), prompts=len(pool), **more)


class Make(PoolCommand):
    """Make a pool of labelled pictures.

    Those that cannot be read, and texts with characters that the recognizer
    does not know, are left out and named.
    """

    name = 'make'
    summary = 'make a pool of labelled pictures'
    example = 'make words.txt pool.safetensors --checkpoint epoch_10.pth'
    needs_words = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        self.add_limit(parser)
        parser.add_argument('--overwrite', action='store_true',
                            help='replace POOL')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Make it."""
        refuse_file(args.pool, args.overwrite)
        reader = self.recognizer(args)
        words, left_out = _labelled(args.words, args.limit, args.seed)
        left_out += self.add_words(reader, words)
        if not reader.model.pool:
            raise UserError('none of the pictures can be taken: '
                            f'{some(left_out, 3)}')
        reader.model.pool.save(args.pool, args.overwrite)
        return self.result(reader.model.pool, left_out=left_out)


class Add(PoolCommand):
    """Add labelled pictures to a pool; a picture in it gets the new text."""

    name = 'add'
    summary = 'add labelled pictures to a pool'
    example = 'add more.txt pool.safetensors --checkpoint epoch_10.pth'
    needs_words = True

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Add them."""
        reader = self.recognizer(args)
        reader.use_pool(args.pool)
        words, left_out = _labelled(args.words)
        left_out += self.add_words(reader, words)
        reader.model.pool.save()
        return self.result(reader.model.pool, left_out=left_out)


class Remove(PoolCommand):
    """Remove labelled pictures from a pool by their numbers."""

    name = 'remove'
    summary = 'remove labelled pictures from a pool'
    example = 'remove pool.safetensors 3 17'
    needs_recognizer = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        parser.add_argument('numbers', type=int, nargs='+', metavar='NUMBER',
                            help='as `lmim pool list` shows them')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Remove them."""
        pool = PromptPool.load(args.pool)
        pool.remove(args.numbers)
        pool.save()
        return self.result(pool)


class List_(PoolCommand):
    """List the labelled pictures of a pool, with their numbers."""

    name = 'list'
    summary = 'list the labelled pictures of a pool'
    example = 'list pool.safetensors --pictures folder'
    needs_recognizer = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        parser.add_argument('--pictures', type=Path, metavar='FOLDER',
                            help='write the pictures there, NUMBER.jpg')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """List them."""
        pool = PromptPool.load(args.pool)
        if args.pictures is not None:
            args.pictures.mkdir(parents=True, exist_ok=True)
            for number, prompt in enumerate(pool.prompts):
                path = args.pictures / f'{number}.jpg'
                refuse_file(path)
                path.write_bytes(prompt.picture)
        return self.result(pool, texts=[each.text for each in pool.prompts])

    def report(self, result: Dict[str, Any]) -> str:
        """One line for each."""
        return '\n'.join([super().report(result), *(
            f'{number}\t{text}'
            for number, text in enumerate(result['texts']))])


class Check(PoolCommand):
    """Check that a pool is whole and of a recognizer; make it anew if asked.

    After training on, the weights are others: --rebuild encodes the pictures
    of the pool anew.
    """

    name = 'check'
    summary = 'check that a pool is of a recognizer, or make it so'
    example = 'check pool.safetensors --checkpoint epoch_10.pth --rebuild'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        parser.add_argument('--rebuild', action='store_true',
                            help='make it anew where it is of other weights')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Check it."""
        reader = self.recognizer(args)
        reader.use_pool(args.pool, args.rebuild)
        if args.rebuild:
            reader.model.pool.save()
        return self.result(reader.model.pool)


class Evaluate(PoolCommand):
    """Measure what a pool is worth on labelled pictures that are not in it.

    Words read exactly: without the pool, with it, and with its texts
    exchanged, picture by picture. Where the last is no worse than the second,
    the recognizer does not heed its prompts. Once more for the words that the
    pool has not: of these it tells what letters look like, and no word.
    """

    name = 'evaluate'
    summary = 'accuracy without, with, and with a wrongly labelled pool'
    example = 'evaluate test.txt pool.safetensors --checkpoint epoch_10.pth'
    needs_words = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        self.add_limit(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Read the pictures three times."""
        reader = self.recognizer(args)
        words, left_out = _labelled(args.words, args.limit, args.seed)
        if not words:
            raise UserError('there are no labelled pictures to measure on: '
                            f'{some(left_out, 3)}')
        pool = PromptPool.load(args.pool)
        reader.use_pool(pool)
        texts = [prompt.text for prompt in pool.prompts]
        if len(set(texts)) < 2:
            raise UserError(
                f'pool {args.pool} has no two texts that differ, and none can '
                'be exchanged: `lmim pool add` adds labelled pictures')
        # Each gets the text of another.
        wrong = PromptPool(pool.fingerprint, prompts=(
            reader.model.make_prompts(
                [prompt.picture for prompt in pool.prompts],
                texts[1:] + texts[:1])))
        new = [text not in texts for _, _, text in words]
        result: Dict[str, Any] = dict(new_words=dict(pictures=sum(new)))
        for title, pools in (('without', None), ('with', pool),
                             ('wrong', wrong)):
            reader.use_pool(pools or PromptPool(pool.fingerprint))
            right = [word.text == text for word, (_, _, text) in zip(
                reader([picture for _, picture, _ in words]), words)]
            result[title] = float(np.mean(right))
            if any(new):
                result['new_words'][title] = float(np.mean(
                    np.asarray(right)[new]))
        return self.result(pool, pictures=len(words), left_out=left_out,
                           **result)

    def report(self, result: Dict[str, Any]) -> str:
        """The three figures, of all words and of those the pool has not."""
        new = result['new_words']
        lines = [super().report(result),
                 f'{"words read exactly":<30}'
                 f'{"of " + format(result["pictures"], ","):>10}'
                 f'{format(new["pictures"], ",") + " new":>12}']
        for title, key in (('without the pool', 'without'),
                           ('with it', 'with'),
                           ('with texts of other pictures', 'wrong')):
            some_new = f'{new[key]:.1%}' if key in new else '-'
            lines.append(f'{title:<30}{result[key]:>10.1%}{some_new:>12}')
        return '\n'.join(lines)


def _add(reader: TextRecognizer, words: Sequence[Labelled]) -> None:
    reader.add_prompts([picture for _, picture, _ in words],
                       [text for _, _, text in words])


def _labelled(words: Sequence[str], limit: Optional[int] = None,
              seed: int = 0) -> Tuple[List[Labelled], List[str]]:
    """Labelled pictures, or some of them, and those that cannot be taken."""
    source = open_sources(list(words))
    labels = []
    unreadable: List[str] = []
    for label in iter_labels(source):
        if label.text:
            labels.append(label)
        else:
            unreadable.append(f'{source.name(label.number)}: it has no label')
    if limit is not None and limit < len(labels):
        labels = random.Random(seed).sample(labels, limit)
    found: List[Labelled] = []
    for label in labels:
        name = source.name(label.number)
        try:
            picture = decode_image(source.read(label.number))
            found.append((name, picture, label.text or ''))
        except UnreadableRecordError as error:
            unreadable.append(f'{name}: {error}')
    return found, unreadable


TOOL = Tool('lmim pool', DESCRIPTION, Make(), Add(), Remove(), List_(),
            Check(), Evaluate())
main = TOOL.main
