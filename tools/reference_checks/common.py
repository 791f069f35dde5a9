"""What the checks share: reference files, comparisons, models of any size."""
from typing import (Any, Callable, Dict, Iterator, List, Mapping, NamedTuple,
                    Optional, Tuple, Union)

import numpy as np
import torch

import lmim  # noqa: F401  (before anything of MMOCR)
from mmocr.registry import MODELS

ABSOLUTE = 1e-5
RELATIVE = 1e-4
#: Of outputs below 0.1 the relative error counts, down to this.
LEAST = 1e-6


class IncompleteReference(Exception):
    """A reference file lacks something."""


class Check(NamedTuple):
    """One output: its largest error and the error that is allowed."""
    name: str
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the error is small enough; NaN is not."""
        return self.error <= self.tolerance


class Reference(Dict[str, np.ndarray]):
    """The arrays of a reference file by name; what was read is known."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        super().__init__(arrays)
        self.unread = set(self)

    def __getitem__(self, name: str) -> np.ndarray:
        self.unread.discard(name)
        if name not in self:
            raise IncompleteReference(name)
        return super().__getitem__(name)

    def tensor(self, name: str) -> torch.Tensor:
        """An array as a tensor of its own type, on torch's default device."""
        return torch.as_tensor(self[name])

    def sizes(self) -> Dict[str, int]:
        """The sizes in ``meta`` by their names."""
        return dict(zip(map(str, self['meta_names']), self['meta'].tolist()))

    def check_sizes(self, **wanted: Tuple[str, int]) -> None:
        """Compare sizes in ``meta`` with those of arrays that are there.

        Each is told by an array and its axis, or, as a number of layers, by
        what names begin with and -1. They may be of parts that are not
        computed here.

        Raises:
            ValueError: If one is another, naming all that are.
        """
        wrong = []
        for name, size in self.sizes().items():
            array, axis = wanted.get(name, ('', 0))
            if axis < 0:
                found = len({each[len(array):].split('.')[0]
                             for each in self if each.startswith(array)})
            else:
                there = self.get(array)  # it is not read by that
                found = 0 if there is None else there.shape[axis]
            if found and found != size:
                wrong.append(f'{name} is {size} in meta, {found} in {array}')
        if wrong:
            raise ValueError('; '.join(wrong))

    def weights(self, prefix: str = 'state.') -> Dict[str, torch.Tensor]:
        """The weights below a prefix by the authors' names."""
        return {name[len(prefix):]: self.tensor(name)
                for name in sorted(self) if name.startswith(prefix)}

    def below(self, prefix: str) -> List[str]:
        """The outputs below a prefix, of which there is one at least."""
        names = sorted(name for name in self if name.startswith(prefix))
        if not names:
            raise IncompleteReference(f'{prefix}*')
        return names

    def compare(self, name: str, ours: Any, tolerance: float = ABSOLUTE,
                scaled: bool = False, places: Any = ...) -> Check:
        """The largest difference from an output, everywhere or in places.

        With ``scaled`` it is a part of the output's largest value. Without,
        less is allowed of outputs that are small.
        """
        theirs = self[name]
        ours = torch.as_tensor(ours).detach().cpu().double().numpy()
        if ours.shape != theirs.shape:
            return Check(f'{name} {theirs.shape}, ours {ours.shape}', np.inf,
                         tolerance)
        largest = float(np.abs(theirs[places]).max(initial=0.))
        scale = max(largest, 1e-8) if scaled else 1.
        if not scaled:
            tolerance = min(tolerance, max(RELATIVE * largest, LEAST))
        error = np.abs(ours - theirs)[places].max() / scale
        return Check(name, float(error), tolerance)

    def compare_norms(self, prefix: str, parameters: Mapping[str, Any]
                      ) -> Iterator[Check]:
        """Compare the norms of gradients by the names in the file."""
        for name, value in sorted(parameters.items()):
            norm = 0. if value.grad is None else value.grad.double().norm()
            yield self.compare(prefix + name, norm, RELATIVE, scaled=True)


class Kind(NamedTuple):
    """A kind of reference file.

    ``inputs`` are arrays by which it is known; ``left`` says how names of
    what this project does not compute begin.
    """
    name: str
    inputs: Tuple[str, ...]
    left: Tuple[str, ...]
    check: Callable[[Reference], Iterator[Check]]


KINDS: List[Kind] = []


def checks(name: str, *inputs: str, left: Tuple[str, ...] = ()) -> Callable:
    """Put a function that checks a :class:`Kind` into :data:`KINDS`."""

    def add(check: Callable) -> Callable:
        KINDS.append(Kind(name, inputs, left, check))
        return check

    return add


def build(cfg: dict, weights: Optional[Dict[str, torch.Tensor]] = None) -> Any:
    """Build a module; of weights that are given none is left over."""
    module = MODELS.build(dict(cfg, _scope_='mmocr'))
    if weights is not None:
        module.load_state_dict(weights)
    return module.eval()


def vit_cfg(kind: str, meta: List[int], weights: Dict[str, torch.Tensor],
            images: Union[np.ndarray, torch.Tensor]) -> dict:
    """Config of an encoder of the reference's size."""
    *_, height, width = weights['backbone.patch_embed.projection.weight'].shape
    hidden = len(weights['backbone.layers.0.ffn.layers.0.0.bias'])
    return dict(
        type=kind, img_size=images.shape[-2:], patch_size=(height, width),
        arch=dict(embed_dims=meta[0], num_layers=meta[1], num_heads=meta[2],
                  feedforward_channels=hidden))


def part_of(weights: Dict[str, torch.Tensor],
            prefix: str) -> Dict[str, torch.Tensor]:
    """The weights of a part, by its own names."""
    return {name[len(prefix):]: value for name, value in weights.items()
            if name.startswith(prefix)}
