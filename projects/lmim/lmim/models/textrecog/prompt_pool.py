"""Labelled pictures that a recognizer may look at while it reads."""
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

import torch

from lmim.checkpoints.reading import read_checkpoint, save_safetensors
from lmim.utils.atomic import whole_file
from lmim.utils.errors import UserError

#: What the metadata of a file is called by, and what it is.
KIND, VERSION = 'prompt_pool', 1


class Prompt(NamedTuple):
    """A labelled picture as a recognizer sees it.

    Attributes:
        text (str): What it says.
        picture (bytes): As the recognizer takes it, resized; a JPEG file.
        embedding (torch.Tensor): What it is found by, of length 1, (C, ).
        states (torch.Tensor): Keys and values of its start symbol, its
            characters and its end in each block, float16,
            (tokens, blocks, 2, D); of no token where they depend on other
            prompts.
    """
    text: str
    picture: bytes
    embedding: torch.Tensor
    states: torch.Tensor


class PromptPool:
    """Prompts by number, found by likeness, in one file or in memory alone.

    Args:
        fingerprint (str): Of the recognizer that made the prompts.
        path (str or Path, optional): The file that :meth:`save` writes.
        prompts (Sequence[Prompt]): What is in it.
    """

    def __init__(self, fingerprint: str,
                 path: Optional[Union[str, Path]] = None,
                 prompts: Sequence[Prompt] = ()) -> None:
        self.fingerprint = fingerprint
        self.path = None if path is None else Path(path)
        self.prompts: List[Prompt] = []
        self._embeddings = torch.empty(0, 0)
        self.add(prompts)

    def __len__(self) -> int:
        return len(self.prompts)

    def __getitem__(self, number: int) -> Prompt:
        return self.prompts[number]

    def add(self, prompts: Sequence[Prompt]) -> None:
        """Add prompts; one of a picture that is there takes its place."""
        held = {prompt.picture: prompt for prompt in self.prompts}
        held.update((prompt.picture, prompt) for prompt in prompts)
        self._replace(list(held.values()))

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove prompts; those behind them get smaller numbers.

        Raises:
            UserError: If there is none of a number.
        """
        wrong = [number for number in numbers
                 if not 0 <= number < len(self)]
        if wrong:
            held = (f'prompts 0 to {len(self) - 1}' if self.prompts
                    else 'no prompts')
            raise UserError(f'the pool has {held}, and none of number '
                            f'{wrong[0]}: `lmim pool list` shows them')
        gone = set(numbers)
        self._replace([prompt for number, prompt in enumerate(self.prompts)
                       if number not in gone])

    def nearest(self, embeddings: torch.Tensor, count: int) -> torch.Tensor:
        """The prompts that are most like some pictures, by the cosine.

        Args:
            embeddings (torch.Tensor): Of N pictures, of length 1, (N, C).
            count (int): How many for each, at most.

        Returns:
            torch.Tensor: Their numbers, (N, K), the most alike first.

        Raises:
            UserError: If the prompts have embeddings of another length.
        """
        if embeddings.shape[1] != self._embeddings.shape[1]:
            raise UserError(
                f'pool {self.path} has embeddings of '
                f'{self._embeddings.shape[1]} values, and this recognizer of '
                f'{embeddings.shape[1]}: make it anew, `lmim pool make`')
        likeness = embeddings.float().cpu() @ self._embeddings.T
        return likeness.topk(min(count, len(self)), dim=1).indices

    def save(self, path: Optional[Union[str, Path]] = None,
             overwrite: bool = True) -> None:
        """Write the pool to a file, whole or not at all.

        Raises:
            UserError: If it has no file.
            FileExistsError: If there is one that may not be overwritten.
        """
        path = self.path = self.path if path is None else Path(path)
        if path is None:
            raise UserError('this pool is in memory alone: name a file')
        pictures = [torch.frombuffer(bytearray(prompt.picture),
                                     dtype=torch.uint8)
                    for prompt in self.prompts]
        states = [prompt.states for prompt in self.prompts]
        tensors = dict(
            embeddings=self._embeddings,
            pictures=_joined(pictures, torch.empty(0, dtype=torch.uint8)),
            picture_sizes=torch.tensor([len(each) for each in pictures],
                                       dtype=torch.long),
            states=_joined(states, torch.empty(0, dtype=torch.float16)),
            state_sizes=torch.tensor([len(each) for each in states],
                                     dtype=torch.long))
        meta = {KIND: VERSION, 'fingerprint': self.fingerprint,
                'texts': [prompt.text for prompt in self.prompts]}
        with whole_file(path, overwrite) as partial:
            save_safetensors(partial, tensors, meta, '')

    @classmethod
    def load(cls, path: Union[str, Path]) -> 'PromptPool':
        """Read a file of :meth:`save`; nothing in it is executed.

        Raises:
            FileNotFoundError: If there is no such file.
            UserError: If it is damaged, or no pool.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f'pool {path} does not exist: `lmim pool '
                                    'make` makes one')
        content = read_checkpoint(path)
        meta: Dict[str, Any] = content.get('meta') or {}
        held: Dict[str, torch.Tensor] = content.get('state_dict') or {}
        if meta.get(KIND) != VERSION:
            raise UserError(f'{path} is no pool of prompts of this version of '
                            'lmim: `lmim pool make` makes one')
        try:
            return cls(meta['fingerprint'], path, _prompts(
                meta['texts'], **held))
        except (KeyError, TypeError, ValueError, RuntimeError,
                AttributeError) as error:
            raise UserError(f'{path} is damaged, or was not written by lmim: '
                            f'make it anew with `lmim pool make`. [{error}]'
                            ) from error

    def _replace(self, prompts: List[Prompt]) -> None:
        self.prompts = prompts
        if prompts:
            self._embeddings = torch.stack(
                [prompt.embedding for prompt in prompts])
        else:
            self._embeddings = torch.empty(0, 0)


def _joined(parts: Sequence[torch.Tensor],
            nothing: torch.Tensor) -> torch.Tensor:
    """Parts one after another, or what stands for none."""
    return torch.cat(list(parts)) if parts else nothing


def _prompts(texts: List[str], embeddings: torch.Tensor,
             pictures: torch.Tensor, picture_sizes: torch.Tensor,
             states: torch.Tensor, state_sizes: torch.Tensor) -> List[Prompt]:
    """What :meth:`PromptPool.save` wrote, or an error if it cannot be."""
    if not isinstance(texts, list) or not all(
            isinstance(text, str) for text in texts):
        raise ValueError('its texts are no list of texts')
    shapes = [len(embeddings), len(picture_sizes), len(state_sizes)]
    if shapes != [len(texts)] * 3:
        raise ValueError(f'{len(texts)} texts have {shapes} embeddings, '
                         'pictures and states')
    if (embeddings.dtype, embeddings.dim(), pictures.dtype) != (
            torch.float32, 2, torch.uint8):
        raise ValueError('its tensors are of other types')
    if not embeddings.isfinite().all():
        raise ValueError('its embeddings are not finite')
    return [Prompt(text, picture.numpy().tobytes(), embedding, state)
            for text, picture, embedding, state in zip(
                texts, pictures.split(picture_sizes.tolist()), embeddings,
                states.split(state_sizes.tolist()))]
