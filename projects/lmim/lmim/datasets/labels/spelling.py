"""What labels a recognizer takes."""
from typing import Any, NamedTuple, Optional

from mmocr.models.textrecog.module_losses import CTCModuleLoss


class Spelling(NamedTuple):
    """What labels a recognizer takes.

    Attributes:
        characters (frozenset): Those of its dictionary.
        letter_case (str): ``'lower'``, ``'upper'`` or ``'unchanged'``.
        max_length (int, optional): Most characters of a word that it learns;
            None where labels are not cut.
        maps_unknown (bool): Whether other characters become the unknown
            token instead of ending the run.
        fix (str, optional): The setting that would make it so.
    """
    characters: frozenset
    letter_case: str = 'unchanged'
    max_length: Optional[int] = None
    maps_unknown: bool = False
    fix: Optional[str] = None


def spelling_of(decoder: Any) -> Optional[Spelling]:
    """What labels a decoder takes; None where it takes none.

    Args:
        decoder (nn.Module, optional): The ``decoder`` of one of MMOCR's
            recognizers, or what another model has in its place.
    """
    dictionary = getattr(decoder, 'dictionary', None)
    if dictionary is None:
        return None
    loss: Any = getattr(decoder, 'module_loss', None)
    length = getattr(loss, 'max_seq_len', None)
    if isinstance(loss, CTCModuleLoss):
        length = None  # it takes as many as the picture has columns
    elif length is not None and dictionary.start_idx is not None:
        length -= 1  # the start token takes the first place
    if hasattr(loss, 'on_unknown'):
        maps = loss.on_unknown == 'map'
        fix = 'model.decoder.module_loss.on_unknown=map'
    else:
        maps = dictionary.unknown_idx is not None
        fix = 'model.decoder.dictionary.with_unknown=True'
    tokens = (dictionary.start_idx, dictionary.end_idx,
              dictionary.padding_idx, dictionary.unknown_idx)
    characters = frozenset(char for index, char in enumerate(dictionary.dict)
                           if index not in tokens)
    return Spelling(characters, getattr(loss, 'letter_case', 'unchanged'),
                    length, maps, fix)
