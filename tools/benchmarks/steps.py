"""`pretrain`, `finetune` and `recognize`: ours and the plain reference."""
import argparse
import random
import string
from abc import abstractmethod
from functools import partial
from typing import Any, Callable, Dict, List, Sequence, Tuple

import torch
from mmengine.structures import LabelData
from mmocr.structures import TextRecogDataSample
from torch import nn

from lmim.cli import at_least
from lmim.engine.precision import DTYPES, PRECISIONS, choose_precision
from lmim.models.backbones import TextViT
from lmim.utils.errors import UserError

from .measuring import Benchmark, Rows, check_close, take_turns
from .models import (RECOGNIZERS, build, optimizer_of, random_pictures,
                     without_dropout)

#: What is timed, by its name, each for one batch.
Sides = Dict[str, Callable[[], Any]]


def add_model_arguments(parser: argparse.ArgumentParser, arch: str,
                        rounds: int) -> None:
    """Declare what is measured where, and how often, with its defaults."""
    add = parser.add_argument
    add('--device', choices=['cpu', 'cuda'],
        default='cuda' if torch.cuda.is_available() else 'cpu',
        help='(default here: %(default)s)')
    add('--arch', choices=sorted(TextViT.arch_zoo), default=arch,
        help='of the ViT (default: %(default)s)')
    add('--precision', nargs='+', choices=PRECISIONS, default=['auto'],
        help='one or several; auto is what training takes on the device '
        '(default: auto)')
    add('--rounds', type=at_least(1), default=rounds,
        help='(default: %(default)s)')


def precisions_of(args: argparse.Namespace) -> List[str]:
    """Those that were asked for, each once.

    Raises:
        UserError: If the device is not there, or lacks the precision.
    """
    if args.device == 'cuda' and not torch.cuda.is_available():
        raise UserError('torch finds no GPU: use --device cpu')
    return list(dict.fromkeys(choose_precision(each, args.device).name
                              for each in args.precision))


class StepBenchmark(Benchmark):
    """A model's work on random pictures, ours and the plain reference."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_model_arguments(parser, 'small', rounds=5)
        add = parser.add_argument
        add('--batch', type=at_least(1), nargs='+', default=[16, 64],
            metavar='N', help='images of a batch (default: 16 64)')
        add('--plain-precision', choices=['fp32', 'fp16'], default='fp32',
            help='of the plain reference; fp16 is autocast, on a GPU '
            '(default: %(default)s)')

    @abstractmethod
    def check(self, args: argparse.Namespace, count: int) -> float:
        """The largest difference of both sides in fp32; refuse a large one."""

    @abstractmethod
    def sides(self, args: argparse.Namespace, count: int,
              precisions: Sequence[str]) -> Sides:
        """The plain one, and ours in each precision, for some images."""

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Check and measure."""
        precisions = precisions_of(args)
        if args.device == 'cpu' and args.plain_precision != 'fp32':
            raise UserError('--plain-precision fp16 is for --device cuda')
        # Few images show a difference as well as many, and cost less.
        difference = self.check(args, min(*args.batch, 4))
        rows: Rows = []
        for count in args.batch:
            sides = self.sides(args, count, precisions)
            rows += [{'batch': count, **row} for row in take_turns(
                {name: (work, count) for name, work in sides.items()},
                args.rounds, f'{self.name}, batch {count}')]
        return {'title': f'ViT {args.arch} on {args.device}; ours and plain '
                f'in fp32 differ by at most {difference:.2g}',
                'difference': difference, 'rows': rows}


class TrainBenchmark(StepBenchmark):
    """A training step: MMEngine's train_step, by both sides."""

    #: Of :func:`build`.
    kind: str
    #: The config of the optimizer.
    schedule: str
    #: Makes what train_step takes: the number of images, and the device.
    data: Callable[[int, str], Dict[str, Any]]

    def check(self, args: argparse.Namespace, count: int) -> float:
        """Losses, and gradients of their sum relative to the largest."""
        losses, gradients = [], []
        for plain in (False, True):
            model = without_dropout(
                build(self.kind, args.arch, args.device, plain))
            inputs = model.data_preprocessor(self.data(count, args.device),
                                             True)
            torch.manual_seed(0)  # both hide the same patches
            losses.append(model.loss(**inputs))
            torch.stack(list(losses[-1].values())).sum().backward()
            gradients.append({
                f'gradient of {name}': weight.grad for name, weight
                in model.named_parameters() if weight.requires_grad})
        largest = max(value.abs().max() for value in gradients[1].values())
        ours, theirs = ({name: value / largest for name, value in side.items()}
                        for side in gradients)
        return max(check_close(losses[0], losses[1], self.name),
                   check_close(ours, theirs, self.name))

    def sides(self, args: argparse.Namespace, count: int,
              precisions: Sequence[str]) -> Sides:
        """The plain one, and ours in each precision."""

        def side(precision: str, plain: bool = False) -> Callable[[], Any]:
            model = build(self.kind, args.arch, args.device, plain).train()
            wrapper = optimizer_of(model, self.schedule, precision)
            # New samples each time: MMOCR makes their targets only once.
            return lambda: model.train_step(self.data(count, args.device),
                                            wrapper)

        return {'plain': side(args.plain_precision, plain=True),
                **{f'ours {each}': side(each) for each in precisions}}


def pretrain_data(count: int, device: str) -> Dict[str, Any]:
    """A batch of pre-training, of random pictures and views."""
    return dict(inputs=list(random_pictures(2 * count, device).chunk(2)),
                data_samples=torch.arange(count))


class PretrainBenchmark(TrainBenchmark):
    """A step of pre-training: normalisation, both losses, gradients, AdamW.

    Both sides are MMEngine's train_step with the optimizer of the configs.
    The plain reference has the same weights in mmpretrain's ViT of MAE and
    torch's own decoder layers. Pictures and weights are random. First losses
    and gradients of both must agree to 1e-5, without dropout and with the
    same patches hidden.
    """

    name = kind = 'pretrain'
    summary = 'steps of LMIM pre-training'
    schedule = 'pretrain_adamw_cosine'
    data = staticmethod(pretrain_data)


def text_data(count: int, device: str) -> Dict[str, Any]:
    """A batch of a recognizer, random words of 1 to 12 letters."""
    rng = random.Random(count)
    samples = [TextRecogDataSample(
        metainfo=dict(valid_ratio=1, img_shape=(32, 128)),
        gt_text=LabelData(item=''.join(rng.choices(
            string.ascii_letters + string.digits, k=rng.randint(1, 12)))))
        for _ in range(count)]
    return dict(inputs=list(random_pictures(count, device)),
                data_samples=samples)


class FinetuneBenchmark(TrainBenchmark):
    """A step of fine-tuning: normalisation, loss, gradients, AdamW.

    Both sides are MMEngine's train_step with the optimizer of the configs.
    The plain reference has the same weights in mmpretrain's ViT and MMOCR's
    NRTR decoder. Pictures and weights are random, words have 1 to 12 letters.
    First loss and gradients of both must agree to 1e-5, without dropout.
    """

    name, kind = 'finetune', 'autoregressive'
    summary = "steps of fine-tuning the paper's recognizer"
    schedule = 'finetune_adamw_cosine'
    data = staticmethod(text_data)


class RecognizeBenchmark(StepBenchmark):
    """Read words: normalisation, encoder, decoder, text.

    Ours is MMEngine's test_step of the paper's recognizer (greedy, as the
    config has it) and of those with a CTC head and a parallel decoder, which
    take as many passes whatever the length. All are compared with the plain
    reference of the paper's: mmpretrain's ViT and MMOCR's NRTR decoder, which
    computes all places of a word at each of 25 steps. Weights are random, and
    such a decoder never ends a word: in both the end is forced after 12
    letters. First words of both must be equal, and probabilities of their
    characters agree to 1e-5.
    """

    name = 'recognize'
    summary = 'words read, by each decoder'

    def check(self, args: argparse.Namespace, count: int) -> float:
        """Words and probabilities."""
        (ours, scores), (wanted, theirs) = (
            _read(_reader('autoregressive', args, plain), count, 'fp32')
            for plain in (False, True))
        if ours != wanted:
            raise UserError(
                f'{self.name}: words differ between ours and the plain '
                f'reference, such as {ours[0]} and {wanted[0]}: nothing was '
                'measured. One of them computes something else.')
        return check_close({'probabilities': torch.tensor(scores)},
                           {'probabilities': torch.tensor(theirs)}, self.name)

    def sides(self, args: argparse.Namespace, count: int,
              precisions: Sequence[str]) -> Sides:
        """The plain one, and ours in each precision for each decoder."""
        sides: Sides = {'plain': partial(
            _read, _reader('autoregressive', args, plain=True), count,
            args.plain_precision)}
        for kind in sorted(RECOGNIZERS):
            model = _reader(kind, args)
            for precision in precisions:
                sides[f'{kind} {precision}'] = partial(
                    _read, model, count, precision)
        return sides


class EndedWords(nn.Module):
    """A classifier that ends each word after the same number of letters.

    Args:
        classifier (nn.Module): Gives logits (N, classes) of one character of
            each word, step by step.
        end (int): Class of the end, which follows those of the characters.
        letters (int): Of each word.
    """

    def __init__(self, classifier: nn.Module, end: int,
                 letters: int = 12) -> None:
        super().__init__()
        self.classifier, self.end, self.letters = classifier, end, letters
        self.step = 0

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of tokens (N, D)."""
        logits = self.classifier(tokens).clone()
        # What follows the end (padding, unknown) is never written.
        logits[:, self.end:] = float('-inf')
        if self.step >= self.letters:
            logits[:, self.end] = 100.
        self.step += 1
        return logits


def _reader(kind: str, args: argparse.Namespace, plain: bool = False) -> Any:
    """A recognizer; where it writes step by step, words are ended."""
    model = build(kind, args.arch, args.device, plain).eval()
    if kind == 'autoregressive':
        model.decoder.classifier = EndedWords(
            model.decoder.classifier, model.decoder.dictionary.end_idx)
    return model


def _read(model: Any, count: int, precision: str
          ) -> Tuple[List[str], List[List[float]]]:
    """Words of some pictures and the probabilities of their characters."""
    if isinstance(getattr(model.decoder, 'classifier', None), EndedWords):
        model.decoder.classifier.step = 0
    device = next(model.parameters()).device.type
    # Without gradients, as MMEngine's test loop calls it.
    with torch.no_grad(), torch.autocast(
            device, DTYPES[precision], enabled=precision != 'fp32'):
        samples = model.test_step(text_data(count, device))
    return ([sample.pred_text.item for sample in samples],
            [list(sample.pred_text.score) for sample in samples])
