"""Several augmented views of one picture, decoded once."""
from typing import Any, Callable, Dict, List, Sequence, Union

from mmcv.transforms import BaseTransform, Compose
from mmengine.dataset import pseudo_collate
from mmengine.registry import FUNCTIONS
from mmocr.registry import TRANSFORMS

from lmim.utils.errors import UserError


@TRANSFORMS.register_module()
class SeveralViews(BaseTransform):
    """Run the rest of a pipeline several times on one picture.

    As ABINet's and LMIM's fine-tuning do. It is the last transform of a
    pipeline, for a data loader with ``collate_fn=dict(type='collate_views')``:
    a batch of B pictures then has ``B * num_views`` samples.

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
