"""Published checkpoints of SSM, pre-trained and fine-tuned."""
import torch.nn.functional as F

from lmim.checkpoints.formats import (BLOCK, ENCODER, VIT, CheckpointFormat,
                                      NameTable, Weights, register_format,
                                      same, under)
from .dig_checkpoints import TWIN, mlp_rows

PROMPTS = 'prompt_embd.embedding.weight'
NECK_ROWS = [
    *same('', 'neck.', [
        'decoder_pos_embed', 'decoder_embed.{p}', 'decoder_norm.{p}',
        'decoder_pred.{p}']),
    *under('decoder_blocks.{n}.', 'neck.decoder_blocks.{n}.', BLOCK),
    (PROMPTS, 'neck.prompts.weight'),
    *mlp_rows('projection_layer.', 'projector.mlp.')]


def _completed(weights: Weights) -> Weights:
    """The moving average with its positions; the prompt's position is 0."""
    weights = dict(weights)
    places = weights.get('decoder_pos_embed')
    if places is None or 'mm_decoder_pos_embed' in weights:
        return weights
    places = F.pad(places, (0, 0, 1, 0))
    return dict(weights, decoder_pos_embed=places,
                mm_decoder_pos_embed=places,
                mm_pos_embed=weights['pos_embed'])


register_format(CheckpointFormat(
    'ssm-pretrain', 'SSM pre-training (authors)',
    (r'patch_embed\.proj\.', r'prompt_embd\.', r'decoder_'),
    NameTable(
        under('', ENCODER, VIT) + NECK_ROWS +
        mlp_rows('predictor.', 'contrast_head.predictor.') +
        under('mm_', TWIN, [*under('', ENCODER, VIT), *NECK_ROWS])),
    written=False, completed=_completed))
# A recognizer of PARSeq's frame. Its decoder is not one of ours.
register_format(CheckpointFormat(
    'parseq', 'PARSeq or SSM fine-tuned (authors), the encoder alone',
    (r'encoder\.patch_embed\.proj\.', r'text_embed\.', r'pos_queries'),
    NameTable(under('encoder.', ENCODER, VIT)),
    wraps='state_dict',
    prefix='encoder.',
    aside=r'decoder\.|dec_embd\.|head\.|text_embed\.|pos_queries',
    written=False))
