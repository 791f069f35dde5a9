"""Several views of one picture, and several pictures seen alike."""
import random
from typing import Any, Callable, Dict, List, Optional, Sequence, Union

from mmcv.transforms import BaseTransform, Compose
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.registry import FUNCTIONS
from mmocr.registry import TRANSFORMS

from lmim.utils.errors import UserError
from .seed import seed_draws


@TRANSFORMS.register_module()
class SeveralViews(BaseTransform):
    """Run the rest of a pipeline several times on one picture.

    It is the last transform of a pipeline. For fine-tuning, as ABINet's and
    LMIM's do, the data loader has ``collate_fn=dict(type='collate_views')``:
    a batch of B pictures then has ``B * num_views`` samples. For pre-training
    it has ``collate_fn=dict(type='stack_views')``: a batch then has
    ``num_views`` views of B pictures.

    Required Keys:

    - img
    - (those of the transforms)

    Args:
        transforms (Sequence[dict or Callable]): The rest of the pipeline,
            packing included.
        num_views (int): Views of each picture. Defaults to 2, as in the
            authors' fine-tuning command.

    Raises:
        UserError: If there is no view.
    """

    def __init__(self,
                 transforms: Sequence[Union[dict, Callable]],
                 num_views: int = 2) -> None:
        if num_views < 1:
            raise UserError(f'num_views is 1 or more, not {num_views}')
        self.num_views = num_views
        self.transforms = Compose(list(transforms))

    def transform(self, results: Dict) -> Any:
        """The views, or None where a transform can do nothing with one."""
        views = []
        for _ in range(self.num_views):
            # A transform may draw into the picture it is given.
            view = self.transforms(dict(results, img=results['img'].copy()))
            if view is None:
                return None
            views.append(view)
        return views

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(num_views={self.num_views}, '
                f'transforms={self.transforms})')


@TRANSFORMS.register_module()
class ForEachPicture(BaseTransform):
    """Run transforms on several pictures of a sample, with the same draws.

    For pictures that belong together, as of
    ``RenderedTextDataset(pair='same_style')``: whatever transforms draw by
    chance, each picture gets the same, so that pictures of one shape are
    bent, cut and coloured alike. Each is ``img`` to the transforms, and its
    ``pair_polygons`` and ``pair_seg_map`` are ``gt_polygons`` and
    ``gt_seg_map``. Any key that holds a picture will do, as ``plain_glyphs``.

    Required Keys:

    - img
    - (those of the transforms)

    Args:
        transforms (Sequence[dict or Callable]): The transforms.
        keys (Sequence[str], optional): The pictures. Defaults to None: those
            of ``img``, ``pair_img`` and ``erased_img`` that there are.
    """

    KEYS = ('img', 'pair_img', 'erased_img')
    NOTES = ('polygons', 'seg_map')

    def __init__(self,
                 transforms: Sequence[Union[dict, Callable]],
                 keys: Optional[Sequence[str]] = None) -> None:
        self.transforms = Compose(list(transforms))
        self.keys = keys

    def transform(self, results: Dict) -> Optional[Dict]:
        """Transform each; None where a transform can do nothing with one.

        Raises:
            UserError: If there is no such picture.
        """
        keys = self.keys or [key for key in self.KEYS if key in results]
        missing = [key for key in keys if key not in results]
        if missing:
            raise UserError(
                f'ForEachPicture finds no {", ".join(missing)}: put what '
                'adds it before, as RenderedTextDataset(pair=...)')
        draws = random.getrandbits(64)
        found = dict(results)
        for key in keys:
            seed_draws(draws)
            done = self.transforms(self._alone(results, key))
            if done is None:
                return None
            if key == 'img':
                found.update(done)
                continue
            found[key] = done['img']
            for note in self.NOTES:
                if 'gt_' + note in done:
                    found[key.replace('img', note)] = done['gt_' + note]
        return found

    def _alone(self, results: Dict, key: str) -> Dict:
        """A picture as ``img``, with what belongs to it."""
        if key == 'img':
            return {name: value for name, value in results.items()
                    if name not in (self.keys or self.KEYS) or name == key}
        alone = {name: value for name, value in results.items()
                 if not name.startswith('gt_')}
        alone['img'] = results[key]
        if key.endswith('img'):
            for note in self.NOTES:
                if key.replace('img', note) in results:
                    alone['gt_' + note] = results[key.replace('img', note)]
        return alone

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(keys={self.keys}, '
                f'transforms={self.transforms})')


@FUNCTIONS.register_module()
def collate_views(batch: Sequence[Union[dict, List[dict]]]) -> dict:
    """Join the views of all pictures into one batch.

    Args:
        batch (Sequence[dict or List[dict]]): For each of B pictures, its
            packed views; or, of a pipeline without :class:`SeveralViews`,
            the picture itself.

    Returns:
        dict: ``inputs`` and ``data_samples``, lists of all views; those of a
        picture follow one another.
    """
    views: List[dict] = []
    for item in batch:
        views += item if isinstance(item, list) else [item]
    return pseudo_collate(views)


@FUNCTIONS.register_module()
def stack_views(batch: Sequence[List[dict]]) -> dict:
    """Join the pre-training views of all pictures, view by view.

    Args:
        batch (Sequence[List[dict]]): For each of B pictures its views, each
            with ``inputs`` (3, H, W) and ``data_samples``, as
            :class:`PackPretrainInputs` gives them.

    Returns:
        dict: ``inputs``: a list, (B, 3, H, W) of each view; ``data_samples``:
        the sample indices (B, ), or, where views were packed with
        ``meta_keys``, a dict of ``sample_idx`` and lists over the views.
    """
    views = [default_collate(list(view)) for view in zip(*batch)]
    about = [view['data_samples'] for view in views]
    joined: Any = about[0]
    if isinstance(joined, dict):
        joined = {key: joined[key] if key == 'sample_idx' else
                  [view[key] for view in about] for key in joined}
    return dict(inputs=[view['inputs'] for view in views],
                data_samples=joined)
