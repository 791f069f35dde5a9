"""HSG: segments, groups on two levels, losses."""
from typing import Any, Dict, Iterable, Iterator, Mapping

import torch

from .common import ABSOLUTE, RELATIVE, Check, Reference, build, checks

#: Beginnings of their names, and of ours.
STARTS = {
    'pos_embed.row_embed.weight': 'row_places.weight',
    'pos_embed.col_embed.weight': 'column_places.weight',
    'fine_query_embed._query_embedding.weight': 'levels.0.queries',
    'coarse_query_embed._query_embedding.weight': 'levels.1.queries',
    'fine_hrchy_transformer.': 'levels.0.',
    'coarse_hrchy_transformer.': 'levels.1.',
}
#: What follows, in either.
PARTS = {
    '_transformer.encoder.layers.': 'encoder.',
    '_transformer.decoder.layers.': 'decoder.',
    '_transformer.decoder.norm.': 'decoder_norm.',
    '_transformer.tgt_fc.1.': 'start.1.norm.',
    '_transformer.tgt_fc.': 'start.',
    'centroid_fc.2.': 'center_head.2.norm.',
    'centroid_fc.': 'center_head.',
    'centroid_feat_fc.2.': 'link_head.2.norm.',
    'centroid_feat_fc.': 'link_head.',
    **{f'.norm{number + 1}.': f'.norms.{number}.' for number in range(3)},
    '.multihead_attn.': '.cross_attn.',
    '.linear1.': '.ffn.0.',
    '.linear2.': '.ffn.3.',
}
#: The coarse level feeds no other; the published code builds its head.
IDLE = 'coarse_hrchy_transformer.centroid_feat_fc.'
TERMS = dict(modularity='modularity', collapse='collapse',
             centroid='centers')
LEVELS = ('fine', 'coarse')


def their_names(names: Iterable[str]) -> Dict[str, str]:
    """The authors' names of our weights."""
    found = {}
    for name in names:
        theirs = name
        for table in (STARTS, PARTS):
            for old, new in table.items():
                theirs = theirs.replace(new, old)
        found[name] = theirs
    return found


def head_of(sizes: Mapping[str, int]) -> Any:
    """The head of a reference's sizes, in eval mode."""
    return build(dict(
        type='HierarchicalGroupingHead', in_dims=sizes['dim'],
        embed_dims=None, grid=(sizes['rows'], sizes['columns']),
        seeds=(sizes['kmeans_rows'], sizes['kmeans_columns']),
        iterations=sizes['kmeans_iterations'],
        num_groups=[sizes[f'{name}_clusters'] for name in LEVELS],
        num_layers=sizes['layers'], num_heads=sizes['heads'],
        hidden_dims=sizes['ffn'], norm='BN', neighbors=sizes['knn'],
        collapse_weight=1.,
        published_nodes=sizes['max_nodes']))


def exact(ref: Reference, name: str, ours: torch.Tensor) -> Check:
    """Compare labels, which are to be the same."""
    return ref.compare(name, ours, 0.)


@checks('HSG', 'meta', 'meta_names', 'embedding', 'region', 'valid',
        'node_prototype')
def check_hsg(ref: Reference) -> Iterator[Check]:
    """Segment, group, and compute losses and gradients in float64."""
    sizes, state = ref.sizes(), ref.weights()
    head = head_of(sizes)
    theirs = their_names(head.state_dict())
    own = {name: state[theirs[name]] for name in theirs}
    # Theirs have fifty places, whatever the grid.
    own.update({name: own[name][:len(value)]
                for name, value in head.state_dict().items()
                if name.endswith('_places.weight')})
    head.load_state_dict(own)
    head.double()
    over = {name for name in state if not name.startswith(IDLE)}
    if over != set(theirs.values()):
        raise RuntimeError(', '.join(over ^ set(theirs.values())))
    grid = head.grid
    given = ref.tensor('embedding').double()
    if given.shape != (2 * sizes['images'], sizes['dim'], *grid):
        raise RuntimeError('embedding')
    given.requires_grad_()
    segments = head.segment(
        head.project(given.flatten(2).transpose(1, 2)),
        ref.tensor('region').long(), ref.tensor('valid'))
    levels = head.group(segments)
    view, at = segments.view, segments.of_pixel
    yield ref.compare('pixel_embedding', segments.features)
    yield exact(ref, 'pixel_view', view[at])
    yield exact(ref, 'pixel_instance', segments.region[at])
    for name in ('kmeans_cluster_index', 'pixel_segment'):
        yield exact(ref, name, at)
    yield exact(ref, 'pixel_node', segments.node[at])
    yield ref.compare('segment_prototype', segments.means)
    yield exact(ref, 'segment_view', view)
    yield exact(ref, 'segment_instance', segments.region)
    size = sizes['max_nodes']
    real = segments.real_nodes(size)
    yield exact(ref, 'node_padding', ~real)
    yield ref.compare('node_prototype', segments.as_nodes(
        segments.means, size).transpose(1, 2))
    for name, values in (('view', view), ('instance', segments.region)):
        # What their padding holds has no meaning.
        yield ref.compare(f'node_{name}', segments.as_nodes(values, size),
                          0., places=real.numpy())
    yield exact(ref, 'adjacency', head.graph(segments))
    yield ref.compare('position_embedding', head.positions().T.unflatten(
        1, grid))
    for name, level in zip(LEVELS, levels):
        group = level.labels[segments.picture, segments.node]
        yield exact(ref, f'pixel_{name}', group[at])
        # Over the batch only groups that have a node are numbered.
        yield exact(ref, f'segment_{name}', torch.unique(
            group + segments.picture * level.probs.shape[1],
            return_inverse=True)[1])
        yield ref.compare(f'{name}_prob', level.probs)
        yield exact(ref, f'{name}_label', level.labels)
        yield ref.compare(f'{name}_centroid', level.centers.transpose(1, 2))
        yield ref.compare(f'{name}_memory', level.memory.transpose(1, 2))
    terms = head.terms(segments, levels)
    losses = head.loss(segments, levels)
    found = dict(
        loss_pixel=terms['regions'][0], loss_image=losses['loss_regions'],
        loss_hierarchy=losses['loss_groups'],
        loss_clustering=sum(losses[f'loss_{name}']
                            for name in TERMS.values()),
        loss=sum(losses.values()))
    for number, name in enumerate(LEVELS):
        found[f'loss_{name}'] = terms['groups'][number]
        found.update({f'loss_{theirs}_{name}': terms[ours][number]
                      for theirs, ours in TERMS.items()})
    for name, value in sorted(found.items()):
        yield ref.compare(name, value, ABSOLUTE / 10)
    found['loss'].backward()
    yield ref.compare('grad.embedding', given.grad, RELATIVE, scaled=True)
    for name in ref:
        if name.startswith(f'gradnorm.{IDLE}') and ref[name] > 0:
            raise RuntimeError(name)
    yield from ref.compare_norms('gradnorm.', {
        theirs[name]: value for name, value in head.named_parameters()})
