"""What a model of pre-training makes of views, of hidden patches above all."""
import random
import sys
from contextlib import contextmanager
from typing import (Any, Dict, Iterator, List, NamedTuple, Optional, Sequence,
                    Tuple)

import cv2
import numpy as np
import torch
from mmocr.registry import TRANSFORMS

from lmim.models.selfsup import Prediction, SelfSup


class Reconstruction(NamedTuple):
    """Pictures and what a model makes of them."""
    views: List[np.ndarray]  # of the encoder's size, (N, H, W, 3) uint8, BGR
    inputs: torch.Tensor  # the first view, normalised, (N, 3, H, W)
    found: Prediction  # what the method computes of them

    @property
    def instances(self) -> List[torch.Tensor]:
        """List[torch.Tensor]: What is contrasted of each view, (N, T, D).

        Empty where images differ in how much it is, or nothing is beside
        those of one view.
        """
        found = [view for view in self.found.instances if view.dim() == 3]
        return found if len(found) > 1 else []

    def errors(self) -> Dict[str, torch.Tensor]:
        """Mean squared errors of hidden patches of each picture, (N, ).

        Of all patches, where none are hidden.

        Returns:
            Dict[str, torch.Tensor]: ``error`` of the prediction, and, to
            compare, of predicting the mean of all targets, ``error_of_mean``,
            or of the picture's own, ``error_of_own_mean``.
        """
        found = self.found
        pred, target, mask = found.pred, found.target, found.mask
        assert not (pred is None or target is None)
        if mask is None:
            mask = torch.ones(pred.shape[:2], device=pred.device)
        guesses = dict(error=pred,
                       error_of_mean=target.mean(dim=(0, 1), keepdim=True),
                       error_of_own_mean=target.mean(dim=1, keepdim=True))
        return {
            name: (((guess - target)**2).mean(dim=-1) * mask).sum(dim=1) /
            mask.sum(dim=1) for name, guess in guesses.items()}

    def matches(self) -> torch.Tensor:
        """Instances of the first view that find their partner, bool (N, T).

        Found is the partner where, of all instances of both views but the
        instance itself, it has the largest cosine.
        """
        instances = self.instances[:2]
        count = instances[0].shape[:2]
        every = torch.cat(instances).flatten(0, 1)
        every = torch.nn.functional.normalize(every, dim=1)
        first = len(every) // 2
        scores = every[:first] @ every.T
        scores.fill_diagonal_(-2)
        wanted = torch.arange(first, 2 * first, device=every.device)
        return (scores.argmax(dim=1) == wanted).unflatten(0, count)


@torch.no_grad()
def reconstruct(model: SelfSup, batch: Dict[str, Any],
                seed: int = 0) -> Reconstruction:
    """Run a method's forward pass on pictures.

    The batch is as the dataloader gives it: ``inputs`` is a uint8 tensor
    (N, 3, H, W), BGR, or a list of these, the views; ``data_samples``, if
    there, is for masks that depend on images. Masks follow the seed.
    The model is left in the mode that it was in, no random numbers are drawn
    from shared generators, and its mask generator is not touched.
    """
    if hasattr(model.data_preprocessor, 'add_views'):
        batch = model.data_preprocessor.add_views(batch)
    views = batch['inputs']
    views = [views] if isinstance(views, torch.Tensor) else list(views)
    views = views[:len(model.view_levels)]
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        data = model.data_preprocessor(dict(
            inputs=views, data_samples=batch.get('data_samples')))
        inputs = data['inputs']
        noise = model.draw_noise(len(inputs[0]), seed)
        found = model.predict(
            inputs, noise if noise is None else noise.to(inputs[0].device),
            data['data_samples'])
    finally:
        for module, training in modes:
            module.training = training
    if found.pred is not None and found.target is not None:
        found.pred, found.target = found.pred.float(), found.target.float()
    return Reconstruction(
        [view.permute(0, 2, 3, 1).cpu().numpy() for view in views], inputs[0],
        found)


def resized(image: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """A picture as pre-training resizes it, to (height, width)."""
    return cv2.resize(image, (size[1], size[0]))


def view_batch(images: Sequence[np.ndarray],
               img_size: Tuple[int, int],
               levels: Sequence[Optional[str]] = (None, 'medium'),
               seed: int = 0,
               meta_keys: Sequence[str] = ()) -> Dict[str, Any]:
    """Views of pictures as the dataloader of pre-training gives them.

    Of N pictures (h, w, 3), uint8, BGR, ``inputs`` has a uint8 tensor
    (N, 3, H, W), BGR, of the size that the encoder sees, for each level (as
    in ``SelfSup.view_levels``), and ``data_samples`` their ``aspect``, (N, ),
    and what ``meta_keys`` name besides, as in ``SelfSup.meta_keys``.
    """
    views = []
    about: List[Dict[str, Any]] = [dict(img=image) for image in images]

    def transform(kind: str, **options: Any) -> None:
        change: Any = TRANSFORMS.build(dict(
            type=kind, img_size=img_size, _scope_='mmocr', **options))
        for each in about:
            change(each)

    with random_state_kept(seed):
        for key, kind in (('glyph_map', 'GlyphMap'),
                          ('region_map', 'RegionMap')):
            if key in meta_keys:
                transform(kind)
        for level in levels:
            if level is not None:
                transform('GuidanceView', level=level,
                          with_warp='guidance_warp' in meta_keys)
            drawn = [resized(each['img'], img_size) if level is None else
                     each['guidance_img'] for each in about]
            views.append(torch.from_numpy(
                np.stack(drawn).transpose(0, 3, 1, 2).copy()))
    # Of a warp, that of the last view.
    kept = {key: torch.from_numpy(np.stack([each[key] for each in about]))
            for key in meta_keys}
    aspect = torch.tensor([image.shape[1] / image.shape[0]
                           for image in images])
    return dict(inputs=views, data_samples=dict(kept, aspect=aspect))


@contextmanager
def random_state_kept(seed: Optional[int] = None) -> Iterator[None]:
    """Restore random numbers afterwards, as if nothing had been drawn.

    The generators of Python, NumPy and torch (on the CPU, and on GPUs that
    are in use) are put back, and imgaug's where it is imported. Meanwhile all
    of them have the seed, if it is given.
    """
    python, numpy = random.getstate(), np.random.get_state()
    imgaug: Any = getattr(sys.modules.get('imgaug'), 'random', None)
    shared = imgaug and imgaug.GLOBAL_RNG  # None before its first use
    drawn = shared and imgaug.get_generator_state(shared.generator)
    devices = (range(torch.cuda.device_count())
               if torch.cuda.is_initialized() else [])
    with torch.random.fork_rng(devices):
        if seed is not None:
            if imgaug:
                imgaug.seed(seed)  # its first use draws from NumPy
            random.seed(seed)
            np.random.seed(seed)
            torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
            if imgaug:
                imgaug.GLOBAL_RNG = shared
                if shared:
                    imgaug.set_generator_state_(shared.generator, drawn)
