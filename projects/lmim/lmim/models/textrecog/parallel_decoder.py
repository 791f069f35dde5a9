"""A text decoder that writes all characters of a word at once."""
from typing import Any, Dict, List, Optional, Sequence, Union

import torch
from mmocr.models.common.dictionary import Dictionary
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample
from torch import nn

from lmim.utils.errors import UserError

from .transformer_decoder import KeysValues, TextTransformerDecoder, hide


@MODELS.register_module()
class ParallelDecoder(TextTransformerDecoder):
    """Writes a word in one pass, and refines it in a few more.

    One query for each place of the word reads the picture. In a refinement
    it also reads the characters written so far, save its own, as in a cloze
    test (the iterative refinement of PARSeq, Bautista and Atienza, ECCV 2022,
    section 3.4). Where PARSeq trains on permutations of the order of writing,
    this decoder trains on random subsets of the characters: once on none and
    once on a share of them drawn anew for every word.

    The time for a word does not grow with its length. Weights are those of
    :class:`TextTransformerDecoder` and the queries. A ``refinement`` by
    coverage takes the places in their order, anew in each pass; with one
    block it is of ``coverage='self'``.

    Args:
        dictionary (dict | Dictionary): As in ``TextTransformerDecoder``.
        num_layers (int): Number of blocks.
        refine_steps (int): Refinements of what the first pass has written.
        **kwargs: As in ``TextTransformerDecoder``, without ``early_stop`` and
            ``beam_width``.

    Raises:
        UserError: As ``TextTransformerDecoder`` does, or if there are options
            of writing step by step.
    """

    def __init__(self,
                 dictionary: Union[Dict, Dictionary],
                 num_layers: int = 1,
                 refine_steps: int = 1,
                 **kwargs: Any) -> None:
        foreign = sorted({'early_stop', 'beam_width'} & kwargs.keys())
        if foreign:
            raise UserError(f'ParallelDecoder has no {foreign}: it does '
                            'not write step by step. Remove them.')
        if refine_steps < 0:
            raise UserError(f'refine_steps is 0 or more, not {refine_steps}')
        super().__init__(dictionary, num_layers, **kwargs)
        self.refine_steps = refine_steps
        self.queries = nn.Parameter(
            torch.empty(1, self.max_seq_len, self.trg_word_emb.embedding_dim))
        nn.init.trunc_normal_(self.queries, std=0.02)

    def loss(self,
             feat: Optional[torch.Tensor] = None,
             out_enc: Optional[torch.Tensor] = None,
             data_samples: Optional[Sequence[TextRecogDataSample]] = None
             ) -> Dict[str, torch.Tensor]:
        """Losses of the first pass and of a refinement.

        Args:
            feat (torch.Tensor, optional): Not used.
            out_enc (torch.Tensor): The encoder's output, (N, M, D).
            data_samples (Sequence[TextRecogDataSample]): With ``gt_text``.

        Returns:
            Dict[str, torch.Tensor]: ``loss_ce`` and ``loss_ce_refined``, each
            half of what the loss module gives.
        """
        assert out_enc is not None and data_samples is not None
        data_samples = self.module_loss.get_targets(data_samples)
        targets = torch.stack([
            sample.gt_text.padded_indexes for sample in data_samples
        ]).to(out_enc.device)
        memory = [layer.memorize(out_enc) for layer in self.layers]
        share = torch.rand(len(targets), 1, device=targets.device)
        drawn = torch.rand(targets.shape, device=targets.device) < share
        known = drawn & (targets != self.end_idx) & (
            targets != self.padding_idx)
        nothing = torch.zeros_like(known)
        losses = {}
        for name, seen in (('loss_ce', nothing), ('loss_ce_refined', known)):
            logits = self.fill_in(memory, targets, seen)
            loss = self.module_loss(logits, data_samples)['loss_ce']
            losses[name] = 0.5 * loss
        return losses

    def fill_in(self, memory: List[KeysValues], written: torch.Tensor,
                seen: torch.Tensor) -> torch.Tensor:
        """Predict every character from the others.

        Args:
            memory (List[KeysValues]): Of the picture, one for each block.
            written (torch.Tensor): Class of each character, (N, T).
            seen (torch.Tensor): Which of them are read, bool, (N, T).

        Returns:
            torch.Tensor: Logits, (N, T, classes).
        """
        length = written.shape[1]
        start = torch.full_like(written[:, :1], self.start_idx)
        # The start symbol is always read: a query without any key has none
        # to attend to.
        inputs = self.dropout(self.position_enc(
            self.trg_word_emb(torch.cat([start, written], dim=1))))
        others = ~torch.eye(length, dtype=torch.bool, device=written.device)
        visible = torch.cat([
            torch.ones_like(seen[:, :1])[:, None].expand(-1, length, -1),
            seen[:, None] & others
        ], dim=2)
        mask = hide(~visible, inputs.dtype)
        tokens = self.dropout(
            self.queries.expand(written.shape[0], -1, -1))
        return self.run(
            tokens, memory, mask, context=inputs,
            coverage=self.new_coverage(written != self.padding_idx))

    def forward_test(
        self,
        feat: Optional[torch.Tensor] = None,
        out_enc: Optional[torch.Tensor] = None,
        data_samples: Optional[Sequence[TextRecogDataSample]] = None
    ) -> torch.Tensor:
        """Write words, to probabilities (N, T, classes)."""
        assert out_enc is not None
        memory = [layer.memorize(out_enc) for layer in self.layers]
        written = torch.full((out_enc.shape[0], self.max_seq_len),
                             self.padding_idx, device=out_enc.device)
        seen = torch.zeros_like(written, dtype=torch.bool)
        logits = self.fill_in(memory, written, seen)
        for _ in range(self.refine_steps):
            written = logits.argmax(dim=-1)
            ended = (written == self.end_idx).cumsum(dim=1) > 0
            logits = self.fill_in(memory, written, ~ended)
        return logits.float().softmax(dim=-1)
