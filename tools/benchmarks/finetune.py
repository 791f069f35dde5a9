"""`finetune`: a step of the paper's recognizer."""
import argparse
import random
import string
from functools import partial
from typing import Any, Dict, List, Sequence

import torch
from mmengine.structures import LabelData
from mmocr.structures import TextRecogDataSample

from . import flops
from .agreement import check_close
from .model_benchmark import (ModelBenchmark, Side, plain_autocast,
                              random_pictures)
from .models import (build_recognizer, encoder_of, optimizer_of,
                     without_dropout)
from .plain.layers import weights_of
from .plain.recognizer import PlainRecognizer
from .pretrain import check_gradients

MAX_LENGTH = 25
LETTERS = string.ascii_letters + string.digits


class FinetuneBenchmark(ModelBenchmark):
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
    formula = flops.RECOGNIZE

    def check(self, args: argparse.Namespace, batch: int) -> Dict[str, Any]:
        """Loss and gradients."""
        model = without_dropout(_recognizer(args))
        plain = plain_recognizer(model, args.arch)
        images, words = random_pictures(batch, args.device), _words(batch)
        data = model.data_preprocessor(_data(images, _samples(words)))
        ours = model.loss(**data)
        wanted = {'loss_ce': plain.loss(images, words, drop=0.)}
        return {**check_close(ours, wanted, self.name),
                **check_gradients(model, ours, plain.weights, wanted,
                                  self.name)}

    def sides(self, args: argparse.Namespace, batch: int,
              precisions: Sequence[str]) -> Dict[str, Side]:
        """The plain one, and ours in each precision."""
        encoder = encoder_of(args.arch)
        needed = 3 * (flops.vit(encoder.dims, encoder.layers, encoder.ffn)
                      + flops.text_decoder(encoder.dims, MAX_LENGTH))
        images, words = random_pictures(batch, args.device), _words(batch)
        plain = plain_recognizer(_recognizer(args), args.arch)
        sides = {'plain': Side(
            partial(plain.step, images, words,
                    partial(plain_autocast, args)),
            args.plain_precision, needed)}
        for precision in precisions:
            model = _recognizer(args).train()
            wrapper = optimizer_of(model, 'finetune_adamw_cosine', precision)
            sides[f'ours {precision}'] = Side(
                partial(_step, model, wrapper, images, _samples(words)),
                precision, needed)
        return sides


def plain_recognizer(model: Any, arch: str) -> PlainRecognizer:
    """The reference with copies of our weights."""
    dictionary = model.decoder.dictionary
    return PlainRecognizer(
        weights_of(model), ''.join(dictionary.dict[:dictionary.end_idx]),
        encoder_of(arch).heads, MAX_LENGTH)


def _recognizer(args: argparse.Namespace) -> Any:
    return build_recognizer('autoregressive', args.arch, args.device)


def _step(model: Any, wrapper: Any, images: torch.Tensor,
          samples: List[TextRecogDataSample]) -> None:
    for sample in samples:
        # As it comes from a loader; MMOCR makes targets but once.
        sample.set_metainfo(dict(have_target=False))
    model.train_step(_data(images, samples), wrapper)


def _words(count: int) -> List[str]:
    rng = random.Random(count)
    return [''.join(rng.choices(LETTERS, k=rng.randint(1, 12)))
            for _ in range(count)]


def _samples(words: Sequence[str]) -> List[TextRecogDataSample]:
    samples = [empty_sample() for _ in words]
    for sample, word in zip(samples, words):
        sample.gt_text = LabelData(item=word)
    return samples


def empty_sample() -> TextRecogDataSample:
    """What is known of a picture that fills its 32x128 pixels."""
    return TextRecogDataSample(
        metainfo=dict(valid_ratio=1, img_shape=(32, 128)))


def _data(images: torch.Tensor,
          samples: List[TextRecogDataSample]) -> Dict[str, Any]:
    return dict(inputs=list(images), data_samples=samples)
