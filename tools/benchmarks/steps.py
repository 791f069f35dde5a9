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

from lmim.cli.command import Command, at_least
from lmim.engine.precision import DTYPES, PRECISIONS, choose_precision
from lmim.models.backbones import TextViT
from lmim.utils.errors import UserError

from .measuring import check_close, rates_table, take_turns
from .models import (RECOGNIZERS, build_pretrain, build_recognizer,
                     optimizer_of, random_pictures, without_dropout)
from .plain.layers import Weights, weights_of
from .plain.pretrain import PlainLMIM
from .plain.recognizer import PlainRecognizer, ctc_logits

#: Patches of a picture by row and column.
GRID = (8, 32)
#: Most characters of a word.
MAX_LENGTH = 25
LETTERS = string.ascii_letters + string.digits
Losses = Dict[str, torch.Tensor]


def add_model_arguments(parser: argparse.ArgumentParser, arch: str) -> None:
    """Declare the arguments that say where which ViT is measured."""
    add = parser.add_argument
    add('--device', choices=['cpu', 'cuda'],
        default='cuda' if torch.cuda.is_available() else 'cpu',
        help='(default here: %(default)s)')
    add('--arch', choices=sorted(TextViT.arch_zoo), default=arch,
        help='of the ViT (default: %(default)s)')
    add('--precision', nargs='+', choices=PRECISIONS, default=['auto'],
        help='one or several; auto is the faster one on the device (default: '
        'auto)')


def precisions_of(args: argparse.Namespace) -> List[str]:
    """Those that were asked for, each once.

    Raises:
        ValueError: If the device is not there, or lacks the precision.
    """
    if args.device == 'cuda' and not torch.cuda.is_available():
        raise UserError('torch finds no GPU: use --device cpu')
    return list(dict.fromkeys(choose_precision(each, args.device).name
                              for each in args.precision))


class StepBenchmark(Command):
    """A model's work on random pictures, ours and the plain reference."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_model_arguments(parser, 'small')
        add = parser.add_argument
        add('--batch', type=at_least(1), nargs='+', default=[16, 64],
            metavar='N', help='images of a batch (default: 16 64)')
        add('--plain-precision', choices=['fp32', 'fp16'], default='fp32',
            help='of the plain reference; fp16 is autocast, on a GPU '
            '(default: %(default)s)')
        add('--rounds', type=at_least(1), default=5,
            help='(default: %(default)s)')

    @abstractmethod
    def check(self, args: argparse.Namespace,
              batch: int) -> Dict[str, float]:
        """Compare both sides in fp32, without dropout.

        Returns:
            dict: What was compared, and the largest difference.

        Raises:
            UserError: If it is not the same.
        """

    @abstractmethod
    def sides(self, args: argparse.Namespace, batch: int,
              precisions: Sequence[str]) -> Dict[str, Callable[[], Any]]:
        """What is timed, each for one batch; the first is ``plain``."""

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Check and measure."""
        precisions = precisions_of(args)
        if args.device == 'cpu' and args.plain_precision != 'fp32':
            raise UserError('--plain-precision fp16 is for --device cuda')
        batches = []
        for batch in args.batch:
            # Few images show a difference as well as many, and cost less.
            checked = self.check(args, min(batch, 4))
            sides = self.sides(args, batch, precisions)
            batches.append({
                'batch': batch, 'checked': checked,
                'rows': take_turns(
                    {name: partial(_count, work, batch, args.device)
                     for name, work in sides.items()},
                    args.rounds, device=args.device,
                    title=f'{self.name}, batch {batch}')})
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


class PretrainBenchmark(StepBenchmark):
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

    def check(self, args: argparse.Namespace,
              batch: int) -> Dict[str, float]:
        """Losses and gradients."""
        model = without_dropout(build_pretrain(args.arch, args.device))
        plain = PlainLMIM(weights_of(model), _heads(args))
        images, view = _views(batch, args.device)
        noise = torch.rand(batch, GRID[0] * GRID[1], device=args.device)
        data = model.data_preprocessor(pretrain_data(images, view))
        return check_losses(
            model, model.loss(data['inputs'], noise=noise), plain.weights,
            plain.losses(images, view, noise, drop=0.), self.name)

    def sides(self, args: argparse.Namespace, batch: int,
              precisions: Sequence[str]) -> Dict[str, Callable[[], Any]]:
        """The plain one, and ours in each precision."""
        images, view = _views(batch, args.device)
        plain = PlainLMIM(
            weights_of(build_pretrain(args.arch, args.device)), _heads(args))

        def plain_step() -> None:
            plain.step(images, view, torch.rand(
                batch, GRID[0] * GRID[1], device=args.device),
                partial(_autocast, args))

        sides: Dict[str, Callable[[], Any]] = {'plain': plain_step}
        for precision in precisions:
            model = build_pretrain(args.arch, args.device).train()
            sides[f'ours {precision}'] = partial(
                model.train_step, pretrain_data(images, view),
                optimizer_of(model, 'pretrain_adamw_cosine', precision))
        return sides


class FinetuneBenchmark(StepBenchmark):
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

    def check(self, args: argparse.Namespace,
              batch: int) -> Dict[str, float]:
        """Loss and gradients."""
        model = without_dropout(_recognizer(args))
        plain = _plain_recognizer(model, args)
        images, words = random_pictures(batch, args.device), _words(batch)
        data = model.data_preprocessor(_text_data(images, words))
        return check_losses(
            model, model.loss(**data), plain.weights,
            {'loss_ce': plain.loss(images, words, drop=0.)}, self.name)

    def sides(self, args: argparse.Namespace, batch: int,
              precisions: Sequence[str]) -> Dict[str, Callable[[], Any]]:
        """The plain one, and ours in each precision."""
        images, words = random_pictures(batch, args.device), _words(batch)
        plain = _plain_recognizer(_recognizer(args), args)
        sides: Dict[str, Callable[[], Any]] = {'plain': partial(
            plain.step, images, words, partial(_autocast, args))}
        for precision in precisions:
            model = _recognizer(args).train()
            wrapper = optimizer_of(model, 'finetune_adamw_cosine', precision)
            # New samples each time: MMOCR makes their targets only once.
            sides[f'ours {precision}'] = partial(
                lambda model, wrapper: model.train_step(
                    _text_data(images, words), wrapper), model, wrapper)
        return sides


class RecognizeBenchmark(StepBenchmark):
    """Read words: normalisation, encoder, decoder, text.

    Ours is MMEngine's test_step of the paper's recognizer (greedy, as the
    config has it) and of those with a CTC head and a parallel decoder. All
    are compared with the plain reference of the paper's: attention with all
    its weights in memory, and a decoder that computes all 25 places of a word
    at each of 25 steps. Weights are random, and such a decoder never ends a
    word: in both the end is forced after as many letters as --letters says.
    The other decoders take as many passes whatever the length.

    Before they are measured, words of both must be equal, and probabilities
    of characters and the logits of the CTC head agree to 1e-5. The parallel
    decoder has no plain reference.
    """

    name = 'recognize'
    summary = 'words read, by each decoder'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        parser.add_argument(
            '--heads', nargs='+', choices=sorted(RECOGNIZERS),
            default=sorted(RECOGNIZERS), help='decoders (default: all)')
        parser.add_argument(
            '--letters', type=at_least(1), default=12, metavar='N',
            help='of each word (default: %(default)s)')

    def check(self, args: argparse.Namespace,
              batch: int) -> Dict[str, float]:
        """Words and probabilities; logits of the CTC head."""
        images = random_pictures(batch, args.device)
        plain, model = _writers(args)
        ours, scores = _read(model, images)
        wanted, wanted_scores = plain.read(images, model.decoder.classifier
                                           .force)
        if ours != wanted:
            raise UserError(
                f'{self.name}: words differ between ours and the plain '
                f'reference, such as {ours[0]} and {wanted[0]}: nothing was '
                'measured. One of them computes something else.')
        found = check_close({'probabilities': torch.tensor(scores)},
                            {'probabilities': torch.tensor(wanted_scores)},
                            self.name)
        if 'ctc' in args.heads:
            head = build_recognizer('ctc', args.arch, args.device).eval()
            with torch.no_grad():
                inputs = head.data_preprocessor(_text_data(images))['inputs']
                logits = head.decoder.forward_train(head.extract_feat(inputs))
                wanted_logits = ctc_logits(weights_of(head), images,
                                           _heads(args), GRID)
            found.update(check_close({'CTC logits': logits},
                                     {'CTC logits': wanted_logits},
                                     self.name))
        return found

    def sides(self, args: argparse.Namespace, batch: int,
              precisions: Sequence[str]) -> Dict[str, Callable[[], Any]]:
        """The plain one, and ours in each precision for each decoder."""
        images = random_pictures(batch, args.device)
        plain, model = _writers(args)

        def plain_read() -> None:
            with _autocast(args):
                plain.read(images, model.decoder.classifier.force)

        sides: Dict[str, Callable[[], Any]] = {'plain': plain_read}
        for kind in sorted(args.heads):
            reader = model if kind == 'autoregressive' else (
                build_recognizer(kind, args.arch, args.device).eval())
            for precision in precisions:
                sides[f'{kind} {precision}'] = partial(
                    _read, reader, images, precision)
        return sides


class EndedWords(nn.Module):
    """A classifier that ends each word after the same number of letters.

    A decoder with random weights would hardly ever end a word. The plain
    reference calls :meth:`force` itself.

    Args:
        classifier (nn.Module): Gives logits (N, classes) of one character of
            each word, step by step.
        end (int): Class of the end, which follows those of the characters.
        letters (int): Of each word.
    """

    def __init__(self, classifier: nn.Module, end: int,
                 letters: int) -> None:
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


def check_losses(model: nn.Module, ours: Losses, weights: Weights,
                 plain: Losses, part: str) -> Dict[str, float]:
    """Compare losses, and gradients of their sum relative to the largest.

    Args:
        model (nn.Module): Ours.
        ours (Dict[str, torch.Tensor]): Its losses.
        weights (Dict[str, torch.Tensor]): Of the plain reference.
        plain (Dict[str, torch.Tensor]): Its losses.
        part (str): What is compared, for the message.

    Raises:
        UserError: If they differ, or one has gradients that the other lacks.
    """
    found = check_close(ours, plain, part)
    for losses in (ours, plain):
        torch.stack(list(losses.values())).sum().backward()
    mine, other = ({f'gradient of {name}': weight.grad
                    for name, weight in named if weight.grad is not None}
                   for named in (model.named_parameters(), weights.items()))
    largest = max(grad.abs().max() for grad in other.values())
    gradients = check_close(
        {name: grad / largest for name, grad in mine.items()},
        {name: grad / largest for name, grad in other.items()}, part)
    return {**found, 'gradients': max(gradients.values())}


def pretrain_data(images: torch.Tensor, view: torch.Tensor
                  ) -> Dict[str, Any]:
    """A batch of pre-training from pictures and views (N, 3, 32, 128)."""
    return dict(inputs=[images, view], data_samples=torch.arange(len(view)))


def _views(batch: int, device: str) -> Sequence[torch.Tensor]:
    return random_pictures(2 * batch, device).chunk(2)


def _heads(args: argparse.Namespace) -> int:
    return int(TextViT.arch_zoo[args.arch]['num_heads'])


def _recognizer(args: argparse.Namespace) -> Any:
    return build_recognizer('autoregressive', args.arch, args.device)


def _plain_recognizer(model: Any, args: argparse.Namespace
                      ) -> PlainRecognizer:
    """The reference with copies of our weights."""
    dictionary = model.decoder.dictionary
    return PlainRecognizer(
        weights_of(model), ''.join(dictionary.dict[:dictionary.end_idx]),
        _heads(args), MAX_LENGTH)


def _writers(args: argparse.Namespace) -> Tuple[PlainRecognizer, Any]:
    """The plain reference and ours, whose classifier ends words."""
    model = _recognizer(args).eval()
    plain = _plain_recognizer(model, args)
    model.decoder.classifier = EndedWords(
        model.decoder.classifier, model.decoder.end_idx, args.letters)
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
        samples = model.test_step(_text_data(images))
    return ([sample.pred_text.item for sample in samples],
            [list(sample.pred_text.score) for sample in samples])


def _words(count: int) -> List[str]:
    rng = random.Random(count)
    return [''.join(rng.choices(LETTERS, k=rng.randint(1, 12)))
            for _ in range(count)]


def _text_data(images: torch.Tensor,
               words: Sequence[str] = ()) -> Dict[str, Any]:
    """A batch of a recognizer, with labels where there are words."""
    samples = [TextRecogDataSample(metainfo=dict(
        valid_ratio=1, img_shape=(32, 128))) for _ in images]
    for sample, word in zip(samples, words):
        sample.gt_text = LabelData(item=word)
    return dict(inputs=list(images), data_samples=samples)


def _autocast(args: argparse.Namespace) -> torch.autocast:
    """The context of the plain reference."""
    return torch.autocast(args.device, torch.float16,
                          enabled=args.plain_precision == 'fp16')


def _count(work: Callable[[], Any], batch: int, device: str) -> int:
    work()
    if device == 'cuda':
        torch.cuda.synchronize()
    return batch
