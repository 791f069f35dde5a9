"""Work of the models: a step of training, its memory, words that are read."""
import argparse
import random
import string
import time
from abc import abstractmethod
from functools import partial
from itertools import product
from statistics import median
from typing import Any, Callable, Dict, List, Sequence, Tuple

import torch
from mmengine.structures import LabelData
from mmocr.structures import TextRecogDataSample
from torch import nn

from lmim.cli import at_least, track
from lmim.engine.precision import DTYPES, PRECISIONS, choose_precision
from lmim.models.backbones import TextViT
from lmim.utils.errors import UserError

from .measuring import (Benchmark, Rows, Sides, check_close, in_a_child,
                        memory_mb, take_turns)
from .models import (RECOGNIZERS, build, optimizer_of, random_pictures,
                     without_dropout)


class ModelBenchmark(Benchmark):
    """A model's work on random pictures."""

    arch, rounds = 'small', 5

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what is measured where, and how often."""
        add = parser.add_argument
        add('--device', choices=['cpu', 'cuda'],
            default='cuda' if torch.cuda.is_available() else 'cpu',
            help='(default here: %(default)s)')
        add('--arch', choices=sorted(TextViT.arch_zoo), default=self.arch,
            help='of the ViT (default: %(default)s)')
        add('--precision', nargs='+', choices=PRECISIONS, default=['auto'],
            help='one or several; auto is what training takes on the device '
            '(default: auto)')
        add('--rounds', type=at_least(1), default=self.rounds,
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


class StepBenchmark(ModelBenchmark):
    """A model's work, ours and the plain reference's."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
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

    def measure(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Check and measure."""
        precisions = precisions_of(args)
        if args.device == 'cpu' and args.plain_precision != 'fp32':
            raise UserError('--plain-precision fp16 is for --device cuda')
        # Few images show a difference as well as many, and cost less.
        difference = self.check(args, min(*args.batch, 4))
        rows: Rows = []
        for count in args.batch:
            rows += [{'batch': count, **row} for row in take_turns(
                self.sides(args, count, precisions), count, args.rounds,
                f'{self.name}, batch {count}')]
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

    # In TF32, which is used on GPUs by default, convolutions have 10 bits.
    @torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
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


class MemoryBenchmark(ModelBenchmark):
    """A step of LMIM pre-training, in less memory for more time.

    A step has a number of images in each case: they are handed over at once
    or in parts whose gradients add up (optim_wrapper.accumulative_counts),
    with or without activation checkpointing in the encoder
    (model.backbone.with_cp). Weights and pictures are random.

    Each case has a process of its own. "peak" is the most that it had at
    once: on a CPU with Python and its libraries (Linux), on a GPU what torch
    allocated.
    """

    name = 'memory'
    summary = 'memory and time of accumulation and activation checkpointing'
    arch, rounds = 'base', 3

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        add = parser.add_argument
        add('--batch', type=at_least(1), default=64, metavar='N',
            help='images of a step (default: %(default)s)')
        add('--accumulate', type=at_least(1), nargs='+', default=[1, 4],
            metavar='N', help='parts of a step (default: 1 4)')

    def measure(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Measure each case.

        Raises:
            UserError: If a step cannot be divided so.
        """
        for parts in args.accumulate:
            if args.batch % parts:
                raise UserError(f'--batch {args.batch} cannot be divided by '
                                f'--accumulate {parts}')
        cases = list(product(precisions_of(args), args.accumulate,
                             (False, True)))
        return {
            'title': f'LMIM, ViT {args.arch}, {args.batch} images a step on '
            f'{args.device}', 'rows': [
                in_a_child(measure, args, torch.get_num_threads(), *case)
                for case in track(cases, len(cases), 'cases')]}


def measure(args: argparse.Namespace, threads: int, precision: str,
            parts: int, with_cp: bool) -> Dict[str, Any]:
    """The row of a case, in its own process."""
    torch.set_num_threads(threads)
    model = build('pretrain', args.arch, args.device).train()
    model.backbone.with_cp = with_cp
    wrapper = optimizer_of(model, 'pretrain_adamw_cosine', precision,
                           accumulative_counts=parts)
    seconds = []
    for _ in range(1 + args.rounds):  # the first makes the optimizer's state
        start = time.perf_counter()
        for _ in range(parts):
            model.train_step(pretrain_data(args.batch // parts, args.device),
                             wrapper)
        if args.device == 'cuda':
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    peak = memory_mb('VmHWM')
    if args.device == 'cuda':
        peak = round(torch.cuda.max_memory_allocated() / 2**20, 1)
    return {'precision': precision, 'parts': parts,
            'with_cp': 'yes' if with_cp else 'no',
            'seconds a step': round(median(seconds[1:]), 4), 'peak MB': peak}


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
        classifier (nn.Module): Gives logits of one character of each word,
            step by step.
        end (int): Class of the end, which follows those of the characters.
        letters (int): Of each word.
    """

    def __init__(self, classifier: nn.Module, end: int,
                 letters: int = 12) -> None:
        super().__init__()
        self.classifier, self.end, self.letters = classifier, end, letters
        self.step = 0

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits (..., classes) of tokens (..., D)."""
        logits = self.classifier(tokens).clone()
        # What follows the end (padding, unknown) is never written.
        logits[..., self.end:] = float('-inf')
        if self.step >= self.letters:
            logits[..., self.end] = 100.
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
