"""`pretrain`, `finetune` and `recognize`: ours and the plain reference."""
import argparse
import random
import string
from abc import abstractmethod
from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Sequence, Tuple

import torch
from mmengine.structures import LabelData
from mmocr.structures import TextRecogDataSample
from torch import nn

from lmim.cli import Command, at_least
from lmim.engine.precision import DTYPES, PRECISIONS, choose_precision
from lmim.models.backbones import TextViT
from lmim.utils.errors import UserError

from .measuring import Work, check_close, rates_table, take_turns
from .models import (RECOGNIZERS, build_pretrain, build_recognizer,
                     optimizer_of, random_pictures, without_dropout)
from .plain.layers import Plain, weights_of
from .plain.pretrain import PlainLMIM
from .plain.recognizer import PlainRecognizer

PATCHES = 8 * 32
LETTERS = string.ascii_letters + string.digits
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


class StepBenchmark(Command):
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
    def check(self, args: argparse.Namespace, count: int) -> Dict[str, float]:
        """The largest differences of both sides in fp32; refuse large ones."""

    @abstractmethod
    def sides(self, args: argparse.Namespace, count: int,
              precisions: Sequence[str]) -> Sides:
        """The plain one, and ours in each precision, for some images."""

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Check and measure."""
        precisions = precisions_of(args)
        if args.device == 'cpu' and args.plain_precision != 'fp32':
            raise UserError('--plain-precision fp16 is for --device cuda')
        batches = []
        for count in args.batch:
            # Few images show a difference as well as many, and cost less.
            checked = self.check(args, min(count, 4))
            works: Dict[str, Work] = {
                name: partial(_finish, work, count, args.device) for name, work
                in self.sides(args, count, precisions).items()}
            batches.append({
                'batch': count, 'checked': checked, 'rows': take_turns(
                    works, args.rounds, f'{self.name}, batch {count}')})
        return {'unit': 'images/s', 'device': args.device, 'arch': args.arch,
                'batches': batches}

    def report(self, result: Dict[str, Any]) -> str:
        """A table for each batch size."""
        lines = [f'ViT {result["arch"]} on {result["device"]}']
        for each in result['batches']:
            checked = ', '.join(f'{name} {value:.2g}' for name, value
                                in each['checked'].items())
            lines += ['', f'batch {each["batch"]}; ours and plain in fp32, '
                      f'largest difference: {checked}',
                      rates_table(each['rows'])]
        return '\n'.join(lines)


class TrainBenchmark(StepBenchmark):
    """A training step: MMEngine's train_step and the plain reference's."""

    #: The config of the optimizer.
    schedule: str
    #: Makes ours of the ViT's name and the device.
    build: Callable[[str, str], Any]
    #: Makes the reference of ours and the number of attention heads.
    plain: Callable[[Any, int], Plain]
    #: Makes what the reference takes: images, views and noise, or words.
    batch: Callable[[int, str], Tuple]
    #: Makes of this what train_step takes.
    data: Callable[..., Dict[str, Any]]

    def check(self, args: argparse.Namespace, count: int) -> Dict[str, float]:
        """Losses, and gradients of their sum relative to the largest."""
        model = without_dropout(self.build(args.arch, args.device))
        plain = self.plain(model, _heads(args))
        batch = self.batch(count, args.device)
        inputs = model.data_preprocessor(self.data(*batch))
        if self.name == 'pretrain':
            inputs['noise'] = batch[2]
        sides = model.loss(**inputs), plain.losses(*batch, drop=0.)
        found = check_close(*sides, self.name)
        for losses in sides:
            torch.stack(list(losses.values())).sum().backward()
        largest = max(weight.grad.abs().max() for weight in
                      plain.weights.values() if weight.grad is not None)
        differences = check_close(
            _gradients(model.named_parameters(), largest),
            _gradients(plain.weights.items(), largest), self.name)
        return {**found, 'gradients': max(differences.values())}

    def sides(self, args: argparse.Namespace, count: int,
              precisions: Sequence[str]) -> Sides:
        """The plain one, and ours in each precision."""
        batch = self.batch(count, args.device)
        plain = self.plain(self.build(args.arch, args.device), _heads(args))
        sides: Sides = {'plain': partial(plain.step, *batch,
                                         context=partial(_autocast, args))}
        for precision in precisions:
            model = self.build(args.arch, args.device).train()
            wrapper = optimizer_of(model, self.schedule, precision)
            # New samples each time: MMOCR makes their targets only once.
            sides[f'ours {precision}'] = partial(
                lambda model, wrapper: model.train_step(
                    self.data(*batch), wrapper), model, wrapper)
        return sides


def views_and_noise(count: int, device: str) -> Tuple[torch.Tensor, ...]:
    """Images, guidance views, and the noise that hides patches."""
    return (*random_pictures(2 * count, device).chunk(2),
            torch.rand(count, PATCHES, device=device))


def pretrain_data(images: torch.Tensor, view: torch.Tensor,
                  *noise: torch.Tensor) -> Dict[str, Any]:
    """A batch of pre-training from pictures and views (N, 3, 32, 128)."""
    return dict(inputs=[images, view], data_samples=torch.arange(len(view)))


class PretrainBenchmark(TrainBenchmark):
    """A step of pre-training: normalisation, both losses, gradients, AdamW.

    Ours is MMEngine's train_step of the model and the optimizer of the
    configs. The plain reference has the same weights: attention with all its
    weights in memory, mask tokens put in image by image, AdamW tensor by
    tensor. Pictures and weights are random. Before they are measured, losses
    and gradients of both must agree to 1e-5, without dropout and with the
    same patches hidden.
    """

    name = 'pretrain'
    summary = 'steps of LMIM pre-training'
    schedule = 'pretrain_adamw_cosine'
    build = staticmethod(build_pretrain)
    plain = staticmethod(lambda model, heads: PlainLMIM(weights_of(model),
                                                        heads))
    batch = staticmethod(views_and_noise)
    data = staticmethod(pretrain_data)


def plain_recognizer(model: Any, heads: int) -> PlainRecognizer:
    """The reference of the paper's recognizer."""
    dictionary = model.decoder.dictionary
    return PlainRecognizer(weights_of(model), heads, ''.join(
        dictionary.dict[:dictionary.end_idx]))


def pictures_and_words(count: int, device: str
                       ) -> Tuple[torch.Tensor, List[str]]:
    """Random pictures, and words of 1 to 12 letters."""
    rng = random.Random(count)
    return random_pictures(count, device), [
        ''.join(rng.choices(LETTERS, k=rng.randint(1, 12)))
        for _ in range(count)]


def text_data(images: torch.Tensor,
              words: Sequence[str] = ()) -> Dict[str, Any]:
    """A batch of a recognizer, with labels where there are words."""
    samples = [TextRecogDataSample(metainfo=dict(
        valid_ratio=1, img_shape=(32, 128))) for _ in images]
    for sample, word in zip(samples, words):
        sample.gt_text = LabelData(item=word)
    return dict(inputs=list(images), data_samples=samples)


class FinetuneBenchmark(TrainBenchmark):
    """A step of fine-tuning: normalisation, loss, gradients, AdamW.

    Ours is MMEngine's train_step of the model and the optimizer of the
    configs. The plain reference has the same weights: attention with all its
    weights in memory, targets character by character, AdamW tensor by tensor.
    Pictures and weights are random, words have 1 to 12 letters. Before they
    are measured, loss and gradients of both must agree to 1e-5, without
    dropout.
    """

    name = 'finetune'
    summary = "steps of fine-tuning the paper's recognizer"
    schedule = 'finetune_adamw_cosine'
    build = staticmethod(partial(build_recognizer, 'autoregressive'))
    plain = staticmethod(plain_recognizer)
    batch = staticmethod(pictures_and_words)
    data = staticmethod(text_data)


class RecognizeBenchmark(StepBenchmark):
    """Read words: normalisation, encoder, decoder, text.

    Ours is MMEngine's test_step of the paper's recognizer (greedy, as the
    config has it) and of those with a CTC head and a parallel decoder. All
    are compared with the plain reference of the paper's: attention with all
    its weights in memory, and a decoder that computes all 25 places of a word
    at each of 25 steps. Weights are random, and such a decoder never ends a
    word: in both the end is forced after 12 letters. The other decoders take
    as many passes whatever the length.

    Before they are measured, words of both must be equal, and probabilities
    of characters agree to 1e-5. CTC and the parallel decoder have no plain
    reference of their own.
    """

    name = 'recognize'
    summary = 'words read, by each decoder'

    def check(self, args: argparse.Namespace, count: int) -> Dict[str, float]:
        """Words and probabilities."""
        images = random_pictures(count, args.device)
        plain, model = _writers(args)
        ours, scores = _read(model, images)
        wanted, theirs = plain.read(images, model.decoder.classifier.force)
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
        images = random_pictures(count, args.device)
        plain, writer = _writers(args)

        def plain_read() -> None:
            with _autocast(args):
                plain.read(images, writer.decoder.classifier.force)

        sides: Sides = {'plain': plain_read}
        for kind in sorted(RECOGNIZERS):
            model = writer if kind == 'autoregressive' else (
                build_recognizer(kind, args.arch, args.device).eval())
            for precision in precisions:
                sides[f'{kind} {precision}'] = partial(
                    _read, model, images, precision)
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
        self.step += 1
        return self.force(self.classifier(tokens), self.step - 1)

    def force(self, logits: torch.Tensor, step: int) -> torch.Tensor:
        """Logits (N, classes) that end words in this step, or do not."""
        logits = logits.clone()
        # What follows the end (padding, unknown) is never written.
        logits[:, self.end:] = float('-inf')
        if step >= self.letters:
            logits[:, self.end] = 100.
        return logits


def _gradients(named: Iterable[Tuple[str, torch.Tensor]],
               largest: torch.Tensor) -> Dict[str, torch.Tensor]:
    """Those that there are, as parts of the largest."""
    return {f'gradient of {name}': weight.grad / largest
            for name, weight in named if weight.grad is not None}


def _heads(args: argparse.Namespace) -> int:
    return int(TextViT.arch_zoo[args.arch]['num_heads'])


def _writers(args: argparse.Namespace) -> Tuple[PlainRecognizer, Any]:
    """The plain reference and ours, whose classifier ends words."""
    model = build_recognizer('autoregressive', args.arch, args.device).eval()
    plain = plain_recognizer(model, _heads(args))
    model.decoder.classifier = EndedWords(
        model.decoder.classifier, model.decoder.end_idx)
    return plain, model


def _read(model: Any, images: torch.Tensor, precision: str = 'fp32'
          ) -> Tuple[List[str], List[List[float]]]:
    """Words and the probabilities of their characters, by ours."""
    if isinstance(getattr(model.decoder, 'classifier', None), EndedWords):
        model.decoder.classifier.step = 0
    # Without gradients, as MMEngine's test loop calls it.
    with torch.no_grad(), torch.autocast(
            images.device.type, DTYPES[precision],
            enabled=precision != 'fp32'):
        samples = model.test_step(text_data(images))
    return ([sample.pred_text.item for sample in samples],
            [list(sample.pred_text.score) for sample in samples])


def _autocast(args: argparse.Namespace) -> torch.autocast:
    """The context of the plain reference."""
    return torch.autocast(args.device, torch.float16,
                          enabled=args.plain_precision == 'fp16')


def _finish(work: Callable[[], Any], count: int, device: str) -> int:
    work()
    if device == 'cuda':
        torch.cuda.synchronize()
    return count
