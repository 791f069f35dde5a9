"""Reading with labelled words before one's eyes: in-context recognition.

E2STR (Zhao et al., CVPR 2024, arXiv 2311.13120) lets a language model read
pictures behind others with their texts, and so adapts it without training.
Here it is the recognizer's own decoder that does: no language model, no weight
more. A word before is what a character before is, keys and values of
self-attention, and each word looks at its own picture.
"""
from typing import Any, List, Optional, Sequence, Tuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmocr.registry import MODELS

from lmim.checkpoints.reading import digest_of
from lmim.datasets.decoding import decode_image
from lmim.utils.characters import named_character
from lmim.utils.errors import UserError

from .any_width import AnyWidthRecognizer
from .prompt_pool import Prompt, PromptPool
from .transformer_decoder import (EarlierWords, KeysValues,
                                  TextTransformerDecoder, hide)

#: Whether a prompt sees the prompts before it.
MANNERS = ('chained', 'independent')
#: What pictures are alike by: style and shapes, or (in LMIM) the text.
RETRIEVALS = ('patches', 'cls')
#: Pictures that are encoded at once, and the quality of their JPEG files.
BATCH, QUALITY = 64, 95


def follow(decoder: TextTransformerDecoder, memory: torch.Tensor,
           inputs: torch.Tensor, before: Optional[EarlierWords] = None
           ) -> Tuple[torch.Tensor, EarlierWords]:
    """Read words, given their texts, behind earlier ones.

    Positions begin anew with each word, so that more words ask for no
    position that was not trained, and a word without any before it is read
    as ever. Words to come see the end of one, which characters within it do
    not.

    Args:
        decoder (TextTransformerDecoder): The decoder.
        memory (torch.Tensor): The encoder's output, (N, M, D).
        inputs (torch.Tensor): The start symbol, characters, end and padding
            of each word, (N, L).
        before (EarlierWords, optional): What they see, of S tokens.

    Returns:
        Tuple[torch.Tensor, EarlierWords]: Logits of what follows each input,
        (N, L, classes), and what is seen of these words and those before.
    """
    length = inputs.shape[1]
    seen = inputs != decoder.padding_idx
    causal = torch.ones(
        length, length, dtype=torch.bool, device=inputs.device).tril()
    visible = causal & seen[:, None]
    past: List[List[KeysValues]] = [[] for _ in decoder.layers]
    if before is not None:
        past = [[each] for each in before.layers]
        visible = torch.cat([
            before.seen[:, None].expand(-1, length, -1), visible], dim=2)
        seen = torch.cat([before.seen, seen], dim=1)
    tokens = decoder.dropout(
        decoder.position_enc(decoder.trg_word_emb(inputs)))
    logits = decoder.run(
        tokens, [layer.memorize(memory) for layer in decoder.layers],
        hide(~visible, tokens.dtype), past,
        decoder.new_coverage(inputs != decoder.padding_idx))
    return logits, EarlierWords([each for each, in past], seen)


@MODELS.register_module()
class InContextRecognizer(AnyWidthRecognizer):
    """A recognizer that reads a picture behind labelled ones.

    It has the weights of any recognizer with a
    :class:`TextTransformerDecoder`. Without a pool, or with an empty one, it
    reads as that does.

    For training, samples come in sequences of ``num_prompts + 1`` words, as
    :class:`~lmim.datasets.InContextViews` and ``collate_views`` make them;
    all words are learnt, the first ones without any before them.

    Args:
        num_prompts (int): Prompts of a picture, K.
        prompts (str): One of :data:`MANNERS`. 'chained' (E2STR's): a word
            sees all words before it, and pictures of prompts are encoded
            anew for each batch. 'independent': prompts see only themselves,
            their order is of no account, and their keys and values are kept
            in the pool.
        retrieval (str): One of :data:`RETRIEVALS`: by which tokens of the
            encoder, 'patches' (their mean) or 'cls', prompts are found.
        others (float): In training, the share of prompts that are taken of
            another sequence: a recognizer that always sees its own word
            among them learns to copy.
        pool (str, optional): A file of ``lmim pool make``, read when the
            first picture is. :attr:`pool` holds it.
        **kwargs: As of ``EncoderDecoderRecognizer``.

    Raises:
        UserError: If the decoder is another, or an option makes no sense.
    """

    def __init__(self,
                 num_prompts: int = 2,
                 prompts: str = 'chained',
                 retrieval: str = 'patches',
                 others: float = 0.25,
                 pool: Optional[str] = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for value, known in ((prompts, MANNERS), (retrieval, RETRIEVALS)):
            if value not in known:
                raise UserError(f'InContextRecognizer takes {known}, not '
                                f'{value!r}')
        if num_prompts < 1 or not 0 <= others <= 1:
            raise UserError('InContextRecognizer takes 1 prompt or more, and '
                            'a share of others from 0 to 1, not '
                            f'{num_prompts} and {others}')
        if type(self.decoder) is not TextTransformerDecoder or (
                not self.with_encoder):
            raise UserError(
                'InContextRecognizer needs an encoder and a '
                f'TextTransformerDecoder, not {type(self.decoder).__name__}: '
                'others keep no keys of what was written before')
        self._with_cls = getattr(self.backbone, 'with_cls_token', False)
        if retrieval == 'cls' and not self._with_cls:
            raise UserError("retrieval='cls' needs an encoder with a [CLS] "
                            "token: take 'patches'")
        self.num_prompts = num_prompts
        self.chained = prompts == 'chained'
        self.retrieval = retrieval
        self.others = others
        #: The prompts, where there are any; see :meth:`use_pool`.
        self.pool: Optional[PromptPool] = None
        self._pool_file = pool

    def loss(self, inputs: torch.Tensor, data_samples: Sequence[Any],
             **kwargs: Any) -> Any:
        """Losses of N sequences of K + 1 words.

        Args:
            inputs (torch.Tensor): Pictures, (N (K + 1), C, H, W), those of a
                sequence one after another.
            data_samples (Sequence[TextRecogDataSample]): With ``gt_text``.
            **kwargs: Not used.

        Returns:
            Dict[str, torch.Tensor]: As the decoder's loss module gives them,
            over all words.

        Raises:
            UserError: If the batch is not made of such sequences.
        """
        words = self.num_prompts + 1
        if len(inputs) % words:
            raise UserError(
                f'a batch of {len(inputs)} pictures is not made of sequences '
                f'of {words}: training needs the transform InContextViews('
                f'num_prompts={self.num_prompts}) and '
                "collate_fn=dict(type='collate_views')")
        memory = self.encoder(self.extract_feat(inputs), data_samples)
        rows = self._mixed(len(inputs) // words)
        samples = self.decoder.module_loss.get_targets(
            [data_samples[row] for row in rows.flatten().tolist()])
        targets = torch.stack([
            sample.gt_text.padded_indexes for sample in samples
        ]).unflatten(0, rows.shape)
        # Behind the longest word of the batch there is padding alone, which
        # has no loss. It is found on the CPU: no step waits for the device.
        longest = int((targets != self.decoder.padding_idx).sum(-1).max())
        logits = self.teacher_forced(
            memory[rows.to(memory.device)],
            targets[..., :longest].to(memory.device))
        logits = F.pad(logits, (0, 0, 0, targets.shape[-1] - longest))
        return self.decoder.module_loss(logits.flatten(0, 1), samples)

    def _mixed(self, count: int) -> torch.Tensor:
        """Which sample each word of the sequences is, (N, K + 1)."""
        rows = torch.arange(count * (self.num_prompts + 1)).view(count, -1)
        if not self.training:
            return rows
        foreign = torch.rand(rows.shape) < self.others
        foreign[:, -1] = False
        return torch.where(foreign, rows.roll(1, 0), rows)

    def teacher_forced(self, memory: torch.Tensor,
                       targets: torch.Tensor) -> torch.Tensor:
        """Logits of sequences, (N, W, T, classes).

        Args:
            memory (torch.Tensor): Of W pictures each, (N, W, M, D).
            targets (torch.Tensor): Their classes, (N, W, T).
        """
        inputs = F.pad(targets, (1, 0), value=self.decoder.start_idx)
        logits, before = self._read_prompts(memory[:, :-1], inputs[:, :-1])
        last, _ = follow(self.decoder, memory[:, -1], inputs[:, -1], before)
        logits = torch.cat([logits, last[:, None]], dim=1)
        return logits[:, :, :-1].contiguous()

    def _read_prompts(self, memory: torch.Tensor, inputs: torch.Tensor
                      ) -> Tuple[torch.Tensor, EarlierWords]:
        """Read K prompts: logits (N, K, L, classes), and what is seen."""
        count, prompts = inputs.shape[:2]
        if not self.chained:
            logits, before = follow(self.decoder, memory.flatten(0, 1),
                                    inputs.flatten(0, 1))
            return logits.unflatten(0, (count, prompts)), EarlierWords([
                KeysValues(*(each.unflatten(0, (count, prompts)).transpose(
                    1, 2).flatten(2, 3) for each in layer))
                for layer in before.layers
            ], before.seen.view(count, -1))
        found: List[torch.Tensor] = []
        seen: Optional[EarlierWords] = None
        for word in range(prompts):
            logits, seen = follow(self.decoder, memory[:, word],
                                  inputs[:, word], seen)
            found.append(logits)
        assert seen is not None
        return torch.stack(found, dim=1), seen

    def predict(self, inputs: torch.Tensor, data_samples: Sequence[Any],
                **kwargs: Any) -> Any:
        """Read pictures behind the prompts of the pool that are like them.

        Args:
            inputs (torch.Tensor): Pictures, (N, C, H, W).
            data_samples (Sequence[TextRecogDataSample]): One for each.
            **kwargs: Not used.

        Returns:
            Sequence[TextRecogDataSample]: The same, with ``pred_text``.

        Raises:
            UserError: If the pool is another recognizer's.
        """
        if self.pool is None and self._pool_file is not None:
            self.use_pool(PromptPool.load(self._pool_file))
        if not self.pool:
            return super().predict(inputs, data_samples, **kwargs)
        tokens = self.extract_feat(inputs)
        memory = self.encoder(tokens, data_samples)
        chosen = self.pool.nearest(self.embed(tokens), self.num_prompts)
        probs = self.decoder.write(memory, self.context(chosen, memory))
        return self.decoder.postprocessor(probs, data_samples)

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        """What pictures are alike by, of length 1, (N, C), from (N, L, C)."""
        start = int(self._with_cls)
        found = (tokens[:, 0] if self.retrieval == 'cls' else
                 tokens[:, start:].float().mean(dim=1))
        return F.normalize(found.float(), dim=1)

    def fingerprint(self) -> str:
        """What tells this recognizer's prompts from others'."""
        weights = dict(self.state_dict())
        return (f'{"chained" if self.chained else "independent"}, '
                f'{self.retrieval}, {digest_of(weights)}')

    def use_pool(self, pool: PromptPool, rebuild: bool = False) -> None:
        """Read with a pool from now on.

        Args:
            pool (PromptPool): The prompts.
            rebuild (bool): Whether those of other weights are made anew, of
                their pictures and texts.

        Raises:
            UserError: If they are of other weights, and stay so, or have
                characters outside the dictionary.
        """
        fingerprint = self.fingerprint()
        if pool.fingerprint != fingerprint:
            if not rebuild:
                raise UserError(
                    f'pool {pool.path} was made by other weights, or with '
                    'other prompts or retrieval: `lmim pool check --rebuild` '
                    'makes it anew of its pictures and texts')
            pool = PromptPool(fingerprint, pool.path, self.make_prompts(
                [prompt.picture for prompt in pool.prompts],
                [prompt.text for prompt in pool.prompts]))
        self._check_characters(''.join(
            prompt.text for prompt in pool.prompts), f'pool {pool.path}')
        self.pool = pool

    @torch.no_grad()
    def make_prompts(self, pictures: Sequence[bytes],
                     texts: Sequence[str]) -> List[Prompt]:
        """Prompts of labelled pictures.

        Args:
            pictures (Sequence[bytes]): As :func:`packed` makes them of what
                the data preprocessor takes; of one size.
            texts (Sequence[str]): What each says.

        Raises:
            UserError: If a text is empty, too long, or has characters
                outside the dictionary, or a picture is of another size.
        """
        for text in texts:
            self._check(text)
        first = [prompt.picture for prompt in (
            self.pool.prompts[:1] if self.pool else ())]
        sizes = {tuple(unpacked(each).shape) for each in [*pictures, *first]}
        if len(sizes) > 1:
            raise UserError(f'pictures of prompts are of one size, and these '
                            f'are of {sorted(sizes)}: give one --width')
        prompts: List[Prompt] = []
        for start in range(0, len(pictures), BATCH):
            some = pictures[start:start + BATCH]
            part = texts[start:start + BATCH]
            tokens = self._tokens(some)
            states = [torch.empty(0, 0, dtype=torch.float16)] * len(part)
            if not self.chained:
                states = self._states(self.encoder(tokens), part)
            prompts += [
                Prompt(*each) for each in zip(
                    part, some, self.embed(tokens).cpu(), states)]
        return prompts

    def context(self, chosen: torch.Tensor,
                like: torch.Tensor) -> EarlierWords:
        """What N pictures see of their prompts.

        Args:
            chosen (torch.Tensor): Numbers of prompts in the pool, (N, K), in
                the order in which they are read.
            like (torch.Tensor): Of the type and the device of the result.
        """
        assert self.pool is not None
        numbers, places = chosen.unique(return_inverse=True)
        prompts = [self.pool[number] for number in numbers.tolist()]
        if self.chained:
            memory = self.encoder(self._tokens(
                [prompt.picture for prompt in prompts]))
            inputs = self._inputs([prompt.text for prompt in prompts])
            return self._read_prompts(memory[places], inputs[places])[1]
        held = torch.nn.utils.rnn.pad_sequence(
            [prompt.states for prompt in prompts], batch_first=True)
        lengths = torch.tensor([len(prompt.states) for prompt in prompts])
        seen = (torch.arange(held.shape[1]) < lengths[:, None])[places]
        # (N, K, L, blocks, 2, D) to (blocks, 2, N, heads, K L, dims)
        heads = self.decoder.layers[0].self_attn.n_head
        states = held[places].to(like).flatten(1, 2).unflatten(
            -1, (heads, -1)).permute(2, 3, 0, 4, 1, 5)
        return EarlierWords([KeysValues(*layer) for layer in states],
                            seen.flatten(1).to(like.device))

    def _check(self, text: str) -> None:
        if not isinstance(text, str):
            raise UserError(f'the text of a prompt is no text: {text!r}')
        decoder = self.decoder
        longest = min(decoder.max_seq_len,
                      decoder.position_enc.position_table.shape[1] - 2)
        self._check_characters(text, f'text {text!r} of a prompt')
        if not 0 < len(text) <= longest:
            raise UserError(f'text {text!r} of a prompt has {len(text)} '
                            f'characters, and this recognizer reads 1 to '
                            f'{longest}')

    def _check_characters(self, text: str, name: str) -> None:
        unknown = sorted(set(text) - set(self.decoder.dictionary.dict))
        if unknown:
            raise UserError(
                f'{name} has characters that this recognizer does not know: '
                f'{", ".join(map(named_character, unknown))}. Leave it out, '
                'or take a recognizer that knows them')

    def _inputs(self, texts: Sequence[str]) -> torch.Tensor:
        """The start symbol, classes, end and padding of texts, (N, L)."""
        decoder = self.decoder
        return torch.nn.utils.rnn.pad_sequence([
            torch.tensor([decoder.start_idx, *decoder.dictionary.str2idx(text),
                          decoder.end_idx]) for text in texts
        ], batch_first=True, padding_value=decoder.padding_idx).to(
            decoder.classifier.weight.device)

    def _tokens(self, pictures: Sequence[bytes]) -> torch.Tensor:
        """The encoder's tokens of JPEG files."""
        inputs = self.data_preprocessor(
            dict(inputs=[unpacked(picture) for picture in pictures]),
            False)['inputs']
        return self.extract_feat(inputs)

    def _states(self, memory: torch.Tensor,
                texts: Sequence[str]) -> List[torch.Tensor]:
        """Of prompts that see only themselves; see :class:`Prompt`."""
        inputs = self._inputs(texts)
        layers = follow(self.decoder, memory, inputs)[1].layers
        # (blocks, 2, N, heads, L, dims) to (N, L, blocks, 2, D)
        held = torch.stack([torch.stack(tuple(layer)) for layer in layers])
        held = held.permute(2, 4, 0, 1, 3, 5).flatten(4).half().cpu()
        return [each[:len(text) + 2].clone()
                for each, text in zip(held, texts)]


def packed(image: torch.Tensor) -> bytes:
    """A picture, uint8, (C, H, W), as a JPEG file."""
    pixels = np.ascontiguousarray(image.cpu().numpy().transpose(1, 2, 0))
    return cv2.imencode('.jpg', pixels, [
        cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def unpacked(picture: bytes) -> torch.Tensor:
    """The reverse of :func:`packed`."""
    pixels = np.atleast_3d(decode_image(picture, 'unchanged'))
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
