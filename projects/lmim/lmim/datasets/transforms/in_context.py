"""Sequences of words that are read one behind the other."""
import string
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
from mmcv.transforms import BaseTransform, Compose
from mmocr.registry import TRANSFORMS

from lmim.utils.errors import UserError

from .guidance_view import GuidanceView


@TRANSFORMS.register_module()
class InContextViews(BaseTransform):
    """A word behind prompts that are made of it: parts and other looks.

    E2STR (arXiv 2311.13120), section on in-context training. Half of the
    prompts are *split*: some neighbouring characters, cut out at their boxes.
    The others, and all where there are no boxes, are *transformed*: the word
    as :class:`GuidanceView` bends and colours it. Where a sample comes with
    another word in its style (``RenderedTextDataset(pair='same_style')``, or
    ``'near_text'``, which must not be copied), ``akin`` of the prompts are
    that word: a pool is of such, and E2STR has none. It is the last transform
    of a pipeline whose data loader has
    ``collate_fn=dict(type='collate_views')``; the recognizer is an
    ``InContextRecognizer``.

    With ``cipher`` the texts of some sequences are written in other letters,
    by a permutation of its own, which nothing but the prompts tells. A
    recognizer that learnt from these believes its prompts where they differ
    from what it knows, as those of a correction do.

    Required Keys:

    - img
    - gt_texts (of ``LoadOCRAnnotations``)
    - gt_polygons (optional: a box of each character in reading order, of
      ``RenderedTextDataset(with_letters=True)``)
    - pair_img, pair_text (optional: another word in the same style)
    - (those of the transforms)

    Args:
        transforms (Sequence[dict or Callable]): The rest of the pipeline,
            packing included.
        num_prompts (int): Prompts of a word. Defaults to 2.
        view (dict, optional): Options of :class:`GuidanceView`. Defaults to
            its own.
        cipher (float): The share of sequences in other letters. Defaults
            to 0.
        alphabet (str): The letters that are permuted. Defaults to those of
            English in lower case.
        akin (float): The share of prompts that are another word in the same
            style, where there is one. Defaults to 0.5.

    Raises:
        UserError: If there is no prompt, or a share is none.
    """

    def __init__(self,
                 transforms: Sequence[Union[dict, Callable]],
                 num_prompts: int = 2,
                 view: Optional[dict] = None,
                 cipher: float = 0.,
                 alphabet: str = string.ascii_lowercase,
                 akin: float = 0.5) -> None:
        if num_prompts < 1 or not (0 <= cipher <= 1 and 0 <= akin <= 1):
            raise UserError('InContextViews takes 1 prompt or more, and '
                            'shares from 0 to 1 of sequences in other '
                            'letters and of prompts in the same style, not '
                            f'{num_prompts}, {cipher} and {akin}')
        self.num_prompts = num_prompts
        self.view = GuidanceView(key='img', **(view or {}))
        self.cipher = cipher
        self.alphabet = alphabet
        self.akin = akin
        self.transforms = Compose(list(transforms))

    def transform(self, results: Dict) -> Optional[List[Any]]:
        """The prompts and the word, or None where one cannot be made."""
        letters = {}
        if self.cipher and np.random.random_sample() < self.cipher:
            others = np.random.permutation(list(self.alphabet))
            letters = str.maketrans(dict(zip(self.alphabet, others)))
        sequence = []
        words = [self._prompt(results) for _ in range(self.num_prompts)]
        for img, text in [*words, (results['img'], results['gt_texts'][0])]:
            packed = self.transforms(dict(
                results, img=img.copy(), img_shape=img.shape[:2],
                gt_texts=[text.translate(letters)]))
            if packed is None:
                return None
            sequence.append(packed)
        return sequence

    def _prompt(self, results: Dict) -> Tuple[np.ndarray, str]:
        """The picture of a prompt, and its text."""
        if 'pair_img' in results and np.random.random_sample() < self.akin:
            return results['pair_img'], results['pair_text']
        img, text = results['img'], results['gt_texts'][0]
        boxes = results.get('gt_polygons', ())
        if 1 < len(text) == len(boxes) and np.random.random_sample() < 0.5:
            first = np.random.randint(len(text))
            last = np.random.randint(first, len(text))
            x = np.concatenate([np.reshape(box, (-1, 2))[:, 0]
                                for box in boxes[first:last + 1]])
            left, right = max(int(x.min()), 0), int(np.ceil(x.max()))
            if right - left > 1:
                return img[:, left:right], text[first:last + 1]
        return self.view(dict(results))['img'], text

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(num_prompts={self.num_prompts}, '
                f'cipher={self.cipher}, akin={self.akin}, '
                f'view={self.view}, '
                f'transforms={self.transforms})')
