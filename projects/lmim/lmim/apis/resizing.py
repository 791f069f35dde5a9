"""Another dictionary for a trained recognizer."""
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import torch
from mmocr.models.common.dictionary import Dictionary
from torch import nn

from lmim.checkpoints import FORMATS, Checkpoint, CheckpointError
from lmim.checkpoints.dictionaries import describe_dictionary, dictionaries_of
from lmim.checkpoints.loading import compare, refuse_not_finite
from lmim.utils.log import quiet
from .loading import build_model


class Resized(NamedTuple):
    """A recognizer with another dictionary."""
    checkpoint: Checkpoint  # the result, by our names
    carried: List[str]  # characters whose weights were carried over
    new: List[str]  # characters that start as in a new model
    dropped: List[str]  # characters that are no more
    tokens: List[str]  # that are no characters; carried over
    #: Shapes before and after, of the weights that belong to characters.
    tensors: Dict[str, Tuple[List[int], List[int]]]


def resize_dictionary(checkpoint: Checkpoint, model: Dict[str, Any],
                      old: Sequence[str], new: Sequence[str],
                      seed: int = 0) -> Resized:
    """Carry a recognizer's weights over to another dictionary, by character.

    Which weights have a row (or a column) for each class is found out by
    building the model with one character more. So it works for any
    recognizer, of any known format, with the config of its model. The seed is
    that of the weights of new characters.

    Raises:
        CheckpointError: If the checkpoint is not of that model with the old
            characters, or it is not clear where its classes are.
    """
    if not dictionaries_of(model):
        raise CheckpointError('the config has no dictionary: it is that of '
                              'no recognizer')
    weights = checkpoint.by_module_names()
    before = build_model(model, old)
    report = compare(before, weights, checkpoint.path)
    if not report.is_full:
        raise CheckpointError(
            f'{report.source} is not of this config with a dictionary of '
            f'{len(old)} characters:{report.details()}\nName the dictionary '
            'it was trained with (--old-dict) and its config (--config)')
    # A character of the private use area.
    another = next(chr(code) for code in range(0xE000, 0x110000)
                   if chr(code) not in old)
    dims = _class_dims(*(
        {name: list(value.shape) for name, value in built.state_dict().items()}
        for built in (before, build_model(model, [*old, another]))))
    torch.manual_seed(seed)
    after: Any = build_model(model, new, empty=False)
    with quiet():  # MMEngine lists how each weight was initialised
        after.init_weights()
    classes = _classes(before)
    result, tensors = dict(weights), {}
    for name, fresh in after.state_dict().items():
        if name in dims:
            result[name] = _carry(weights[name], fresh, dims[name], classes,
                                  _classes(after))
            tensors[name] = list(weights[name].shape), list(fresh.shape)
    refuse_not_finite(after, result, checkpoint.path)
    after.load_state_dict(result)  # which checks every name and shape
    kept = set(old) & set(new)
    return Resized(
        checkpoint._replace(
            weights=result, wraps='state_dict',
            kind=FORMATS['ours'] if checkpoint.kind else None,
            meta=dict(checkpoint.meta,
                      dictionary=describe_dictionary(model, new))),
        carried=[char for char in new if char in kept],
        new=[char for char in new if char not in kept],
        dropped=[char for char in old if char not in kept],
        tokens=sorted({entry for entries in classes
                       for entry in entries} - set(old)),
        tensors=tensors)


def _class_dims(shapes: Dict[str, List[int]],
                larger: Dict[str, List[int]]) -> Dict[str, int]:
    """Which dimension of which weight grows by one with the dictionary."""
    dims = {}
    for name, shape in shapes.items():
        if larger.get(name) == shape:
            continue
        grown = [size - before
                 for size, before in zip(larger.get(name, []), shape)]
        if sorted(grown) != [0] * (len(shape) - 1) + [1]:
            raise CheckpointError(
                f'with one character more, {name} is {larger.get(name)} '
                f'instead of {shape}: it cannot be told which of it belongs '
                'to which character')
        dims[name] = grown.index(1)
    if not dims:
        raise CheckpointError('no weight of this model has to do with the '
                              'characters of its dictionary')
    return dims


def _classes(model: nn.Module) -> List[List[str]]:
    """All classes of the dictionaries in a model, each dictionary once."""
    found: List[List[str]] = []
    for module in model.modules():
        dictionary = getattr(module, 'dictionary', None)
        if (isinstance(dictionary, Dictionary)
                and dictionary.dict not in found):
            found.append(list(dictionary.dict))
    return found


def _carry(value: torch.Tensor, fresh: torch.Tensor, dim: int,
           before: List[List[str]], after: List[List[str]]) -> torch.Tensor:
    """Put trained slices (along dim) of shared classes into fresh weights."""
    for extra in (0, 1):  # a start symbol may follow the classes
        for old, new in zip(before, after):
            if value.shape[dim] != len(old) + extra:
                continue
            places = {entry: place for place, entry in enumerate(old)}
            pairs = [(places[entry], place)
                     for place, entry in enumerate(new) if entry in places]
            pairs += [(len(old) + k, len(new) + k) for k in range(extra)]
            sources, targets = torch.tensor(pairs).unbind(1)
            result = fresh.detach().clone().to(value.dtype)
            return result.index_copy_(
                dim, targets, value.detach().index_select(dim, sources))
    raise CheckpointError(
        f'a weight of {tuple(value.shape)} grows with the dictionary, and no '
        f'dictionary has as many classes: {[len(old) for old in before]}')
