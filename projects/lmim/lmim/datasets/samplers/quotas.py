"""How many records of each part of a set an epoch has."""
import math
from fractions import Fraction
from typing import List, Optional, Sequence

from ..parts import Part


def quotas_of(parts: Sequence[Part], ratios: Optional[Sequence[float]],
              total: int) -> List[int]:
    """Records of each part, in these proportions.

    Args:
        parts (Sequence[Part]): The parts of a set.
        ratios (Sequence[float], optional): One for each; None for those of
            their sizes.
        total (int): Records of all parts together.

    Returns:
        List[int]: One for each part; they add up to ``total``.

    Raises:
        ValueError: If the ratios do not fit the parts, are negative or all
            zero, or a part is empty or would never be drawn from, or the
            total is less than 1.
    """
    if ratios is None:
        ratios = [part.size for part in parts]
    listing = ''.join(f'\n  {part.name} ({part.size:,} records)'
                      for part in parts)
    if len(ratios) != len(parts):
        raise ValueError(f'{len(ratios)} ratios for {len(parts)} part(s) of '
                         f'the set. Give one for each of:{listing}')
    if not all(0 <= ratio < math.inf for ratio in ratios) or not any(ratios):
        raise ValueError(f'ratios={list(ratios)}: give numbers from 0 on, at '
                         f'least one of them above 0, for:{listing}')
    if total < 1:
        raise ValueError(f'epoch_length is {total}. Give 1 or more.')
    quotas = _apportion(ratios, total)
    for part, ratio, quota in zip(parts, ratios, quotas):
        if ratio and not part.size:
            raise ValueError(f'{part.name} has no records to draw, and its '
                             f'ratio is {ratio:g}. Leave it out with 0.')
        if ratio and not quota:
            raise ValueError(
                f'With a ratio of {ratio:g}, none of the {total:,} records of '
                f'an epoch is one of {part.name}. Raise the ratio or '
                'epoch_length, or leave the part out with 0.')
    return quotas


def _apportion(ratios: Sequence[float], total: int) -> List[int]:
    """Whole numbers in these proportions, as near as can be (Hamilton's)."""
    # Fractions, lest rounding gives away more than there is.
    weights = [Fraction(float(ratio)) for ratio in ratios]
    exact = [weight * total / sum(weights) for weight in weights]
    quotas = [math.floor(share) for share in exact]
    by_rest = sorted(
        range(len(exact)), key=lambda number: quotas[number] - exact[number])
    for number in by_rest[:total - sum(quotas)]:
        quotas[number] += 1
    return quotas
