"""Whether two sides compute the same numbers."""
from typing import Dict, Mapping, Union

import torch

Numbers = Mapping[str, Union[float, torch.Tensor]]


def check_close(ours: Numbers, plain: Numbers, part: str,
                tolerance: float = 1e-5) -> Dict[str, float]:
    """Compare numbers that have the same names.

    Args:
        ours (Dict[str, float | torch.Tensor]): Of any shapes.
        plain (Dict[str, float | torch.Tensor]): Of the same shapes.
        part (str): What is compared, for the message.
        tolerance (float): Largest difference, in parts of the largest value
            where that is above 1.

    Returns:
        Dict[str, float]: The largest difference of each, in these parts.

    Raises:
        ValueError: If names or shapes differ, or a difference is above the
            tolerance or no number.
    """
    if ours.keys() != plain.keys():
        raise ValueError(f'{part}: ours gives {sorted(ours)} and the plain '
                         f'reference {sorted(plain)}')
    found = {}
    for name in ours:
        mine = torch.as_tensor(ours[name]).detach().double().cpu()
        other = torch.as_tensor(plain[name]).detach().double().cpu()
        if mine.shape != other.shape:
            raise ValueError(f'{part}: {name} is {tuple(mine.shape)} in ours '
                             f'and {tuple(other.shape)} in the plain '
                             'reference')
        scale = max(1., other.abs().max().item())
        found[name] = (mine - other).abs().max().item() / scale
        if not found[name] <= tolerance:  # nan is not, either
            raise ValueError(
                f'{part}: {name} of ours and of the plain reference differ '
                f'by {found[name]:.2g}, which is above {tolerance:g}: nothing '
                'was measured. One of them computes something else.')
    return found


def check_texts(ours: list, plain: list, part: str) -> int:
    """Compare words; tells how many there are.

    Raises:
        ValueError: If any differs.
    """
    wrong = [(a, b) for a, b in zip(ours, plain) if a != b]
    if wrong or len(ours) != len(plain):
        raise ValueError(
            f'{part}: {len(wrong)} of {len(plain)} words differ between ours '
            f'and the plain reference, such as {wrong[:1]}: nothing was '
            'measured. One of them computes something else.')
    return len(ours)
