"""`recognize`: from pictures to words."""
import argparse
from functools import partial
from typing import Any, Dict, List, Sequence, Tuple

import torch

from . import flops
from .agreement import check_close, check_texts
from .finetune import empty_sample, plain_recognizer
from .model_benchmark import (ModelBenchmark, Side, plain_autocast,
                              random_pictures)
from .models import RECOGNIZERS, build_recognizer, encoder_of
from .plain.layers import weights_of
from .plain.recognizer import PlainRecognizer, ctc_logits
from .word_ends import WordEnds, draw_lengths

GRID = (8, 32)
DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16}


class RecognizeBenchmark(ModelBenchmark):
    """Read words: normalisation, encoder, decoder, text.

    Ours is MMEngine's test_step of the paper's recognizer (greedy, as the
    config has it) and of those with a CTC head and a parallel decoder. All
    are compared with the plain reference of the paper's: attention with all
    its weights in memory, and a decoder that computes all 25 places of a word
    at each of 25 steps. Weights are random, and such a decoder never ends a
    word: in ours and in the plain one alike the end is forced after a length
    drawn from 1 to 12. The others read in as many passes whatever the length.

    Before they are measured, words of both must be equal, and probabilities
    of characters and the logits of the CTC head agree to 1e-5. The parallel
    decoder has no plain reference.
    """

    name = 'recognize'
    summary = 'words read, by the ways to write them'
    formula = flops.RECOGNIZE

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        parser.add_argument(
            '--heads', nargs='+', choices=sorted(RECOGNIZERS),
            default=sorted(RECOGNIZERS),
            help='ways to write that are measured (default: all)')

    def check(self, args: argparse.Namespace, batch: int) -> Dict[str, Any]:
        """Words and probabilities; logits of the CTC head."""
        images = random_pictures(batch, args.device)
        plain, model, ends = _autoregressive(args, batch)
        ours, scores = _read(model, images, ends)
        wanted, wanted_scores = plain.read(images, ends.force)
        check_texts(ours, wanted, self.name)
        found = check_close({'probabilities': _flat(scores)},
                            {'probabilities': _flat(wanted_scores)},
                            self.name)
        if 'ctc' in args.heads:
            head = build_recognizer('ctc', args.arch, args.device).eval()
            with torch.no_grad():
                inputs = head.data_preprocessor(_data(images))['inputs']
                logits = head.decoder.forward_train(head.extract_feat(inputs))
                found.update(check_close(
                    {'CTC logits': logits},
                    {'CTC logits': ctc_logits(
                        weights_of(head), images,
                        encoder_of(args.arch).heads, GRID)}, self.name))
        return found

    def sides(self, args: argparse.Namespace, batch: int,
              precisions: Sequence[str]) -> Dict[str, Side]:
        """The plain one, and ours in each precision for each head."""
        images = random_pictures(batch, args.device)
        plain, model, ends = _autoregressive(args, batch)
        letters = 1 + float(ends.lengths.float().mean())
        needed = _needed(args.arch, letters)
        sides = {'plain': Side(
            partial(_plain_read, plain, images, ends, args),
            args.plain_precision, needed['autoregressive'])}
        models = {kind: model if kind == 'autoregressive' else
                  build_recognizer(kind, args.arch, args.device).eval()
                  for kind in args.heads}
        for kind in sorted(models):
            for precision in precisions:
                sides[f'{kind} {precision}'] = Side(
                    partial(_read, models[kind], images,
                            ends if kind == 'autoregressive' else None,
                            precision), precision, needed[kind])
        return sides


def _needed(arch: str, letters: float) -> Dict[str, float]:
    """FLOPs of an image, by the way to write."""
    encoder = encoder_of(arch)
    dims = encoder.dims
    whole = flops.vit(dims, encoder.layers, encoder.ffn)
    return {
        'autoregressive': whole + flops.text_decoder(dims, letters),
        # One pass and one refinement, which share keys and values of the
        # picture; a place reads 26 others, counted as 25.
        'parallel': whole + flops.text_decoder(dims, 50, layers=1, ffn=2048),
        'ctc': whole + flops.linear(GRID[1], dims, 95),
    }


def _autoregressive(args: argparse.Namespace, batch: int
                    ) -> Tuple[PlainRecognizer, Any, WordEnds]:
    """The plain reference, ours, and the ends of the words of both."""
    model = build_recognizer(
        'autoregressive', args.arch, args.device).eval()
    plain = plain_recognizer(model, args.arch)
    decoder = model.decoder
    decoder.classifier = WordEnds(decoder.classifier, decoder.end_idx,
                                  draw_lengths(batch, args.device))
    return plain, model, decoder.classifier


def _read(model: Any, images: torch.Tensor, ends: Any = None,
          precision: str = 'fp32') -> Tuple[List[str], List[List[float]]]:
    """Words and the probabilities of their characters, by ours."""
    if ends is not None:
        ends.begin()
    # Without gradients, as MMEngine's test loop calls it.
    with torch.no_grad(), torch.autocast(
            images.device.type, DTYPES[precision],
            enabled=precision != 'fp32'):
        samples = model.test_step(_data(images))
    return ([sample.pred_text.item for sample in samples],
            [list(sample.pred_text.score) for sample in samples])


def _plain_read(plain: PlainRecognizer, images: torch.Tensor, ends: WordEnds,
                args: argparse.Namespace) -> None:
    with plain_autocast(args):
        plain.read(images, ends.force)


def _flat(scores: List[List[float]]) -> torch.Tensor:
    return torch.tensor([score for word in scores for score in word])


def _data(images: torch.Tensor) -> Dict[str, Any]:
    return dict(inputs=list(images),
                data_samples=[empty_sample() for _ in images])
