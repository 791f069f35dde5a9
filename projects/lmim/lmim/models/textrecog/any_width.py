"""A recognizer whose batches may hold pictures of several sizes."""
from typing import Any, Callable, Dict, List, Sequence, Tuple

import torch
from mmocr.models.textrecog.recognizers import EncoderDecoderRecognizer
from mmocr.registry import MODELS


def numbers_by_size(inputs: Sequence[torch.Tensor]) -> List[List[int]]:
    """The numbers of inputs that have one shape, for each shape."""
    sizes: Dict[Tuple[int, ...], List[int]] = {}
    for number, one in enumerate(inputs):
        sizes.setdefault(tuple(one.shape), []).append(number)
    return list(sizes.values())


@MODELS.register_module()
class AnyWidthRecognizer(EncoderDecoderRecognizer):
    """MMOCR's, that tests and validates pictures of one size at a time.

    ``EncoderDecoderRecognizer`` pads the pictures of a batch to the largest,
    and what is read then depends on the neighbours. Here those of a size are
    read together, and nothing is padded. Training is MMOCR's.
    """

    def test_step(self, data: Any) -> List[Any]:
        """Read a batch; as the method of MMEngine's models."""
        return self._by_size(super().test_step, data)

    def val_step(self, data: Any) -> List[Any]:
        """As :meth:`test_step`."""
        return self._by_size(super().val_step, data)

    @staticmethod
    def _by_size(step: Callable[[Any], List[Any]], data: Any) -> List[Any]:
        samples: List[Any] = [None] * len(data['inputs'])
        for numbers in numbers_by_size(data['inputs']):
            read = step({name: [values[number] for number in numbers]
                         for name, values in data.items()})
            for number, sample in zip(numbers, read):
                samples[number] = sample
        return samples
