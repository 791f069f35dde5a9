"""The command that compares this implementation with the published code."""
import importlib
import json
import re

import numpy as np
import pytest

BINARY = ('ink.mask', 'span.hard', 'dshm.text', 'masks', 'index', 'clusters',
          'clusters_warped', 'masks_warped', 'late.clusters',
          'memory_mask', 'unit.masks', 'unit.labels_low', 'foreground',
          'glyph_labels_low', 'node_padding', 'adjacency')
#: Whole numbers.
WHOLE = ('greedy', 'greedy.tokens', 'mae.ids_restore', 'text', 'text_a',
         'text_b', 'unit.length', 'length', 'pixel_fine', 'pixel_segment',
         'segment_coarse', 'fine_label', 'coarse_label',
         'kmeans_cluster_index', 'node_view', 'word_1', 'order',
         'targets', 'chained.greedy', 'plain.greedy')
KINDS = {'pretrain': 'lmim_pretrain', 'recognizer': 'lmim_recognizer',
         'seqclr': 'seqclr', 'masks': 'masks', 'jepa': 'jepa',
         'dig': 'dig', 'ssm': 'ssm', 'ccd': 'ccd',
         'ccd_recognizer': 'ccd_recognizer', 'comer': 'comer',
         'rope': 'rope', 'dcn': 'dcn', 'pixels': 'pixels',
         'siga': 'siga', 'darling': 'darling', 'hsg': 'hsg',
         'incontext': 'incontext_recognizer', 'e2str': 'e2str',
         'odm': 'odm', 'odm_crop': 'odm_crop'}


@pytest.fixture
def verify(repo, monkeypatch, capsys):
    """Runs the command; returns its exit code (or message) and output."""
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    tool = importlib.import_module('verify_reference')

    def run(*args):
        try:
            code = tool.main([str(arg) for arg in args])
        except SystemExit as stop:
            code = stop.code
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def changed(repo, tmp_path):
    """Writes a reference file in which something was changed."""

    def changed(kind, change):
        ref = dict(np.load(repo / f'tests/data/reference_{kind}.npz'))
        change(ref)
        np.savez(tmp_path / 'changed.npz', **ref)
        return tmp_path / 'changed.npz'

    return changed


@pytest.mark.parametrize('kind', KINDS)
def test_published_numbers_are_matched(verify, shared_reference, kind):
    code, out = verify(shared_reference / f'{KINDS[kind]}_small.npz', '--json')
    assert code == 0, out
    checks = {c['name']: c for c in json.loads(out)['checks']}
    if kind == 'pretrain':
        assert checks['loss']['error'] < 1e-5
        assert checks['pred']['error'] < 1e-5
        assert sum(name.startswith('gradnorm.') for name in checks) == 86
    elif kind == 'masks':
        assert len(checks) == 14 and checks['ink.key']['error'] < 1e-10
        assert json.loads(out)['not_computed'] == ['attmask.*', 'hpm.*']
    elif kind == 'jepa':
        assert checks['target_full']['error'] < 1e-5
        assert checks['d2v.target_ffn']['error'] < 1e-5
    elif kind == 'seqclr':
        assert len(checks) == 100
        assert checks['bilstm.window.loss_batchmean']['error'] < 1e-5
    elif kind == 'dig':
        assert len(checks) == 71
        assert checks['gradnorm.encoder.mask_token']['error'] < 1e-5
    elif kind == 'ssm':
        assert len(checks) == 90
        assert checks['decoded_neg']['error'] < 1e-5
    elif kind == 'ccd':
        assert len(checks) == 149
        # But for a line that was added by hand.
        assert checks['masks (share of pixels that differ)']['error'] < 2e-3
        for name in ('clusters', 'clusters_warped', 'masks_warped', 'index'):
            assert checks[name]['error'] == 0
            assert checks[f'late.{name}']['error'] == 0
    elif kind == 'pixels':
        assert len(checks) == 93
        assert checks['mae.pred']['error'] < 1e-5
    elif kind == 'siga':
        assert len(checks) == 42 and checks['unit.labels_low']['error'] == 0
        assert checks['unit.grad.attention']['error'] < 1e-6
    elif kind == 'darling':
        assert len(checks) == 171
        assert checks['painted_b']['error'] < 1e-5
    elif kind == 'dcn':
        # Both precisions of six cases, of which four have masks.
        assert len(checks) == 2 * (2 * 4 + 4 * 6)
        assert checks['v1_groups.grad.offset (float64)']['error'] < 1e-14
    elif kind == 'hsg':
        assert len(checks) == 188
        for name in ('adjacency', 'fine_label', 'coarse_label',
                     'pixel_segment', 'pixel_coarse'):
            assert checks[name]['error'] == 0
        assert checks['loss_coarse']['error'] < 1e-10
    elif kind == 'ccd_recognizer':
        assert len(checks) == 131
        assert checks['strings (that differ)']['error'] == 0
        assert checks['cross_attention_last']['error'] < 1e-6
    elif kind == 'incontext':
        assert len(checks) == 99
        assert checks['chained.logits_2']['error'] < 1e-12
        assert checks['independent.greedy']['error'] == 0
    elif kind == 'e2str':
        assert len(checks) == 4 and checks['order']['error'] == 0
        assert 'step_logits.*' in json.loads(out)['not_computed']
    elif kind == 'comer':
        assert len(checks) == 94
        assert checks['refine.2']['error'] < 3e-5
        assert checks['greedy.tokens']['error'] == 0
        assert json.loads(out)['not_computed'] == ['joint_beam.*']
    elif kind == 'odm':
        assert len(checks) == 17 and checks['decoder.out']['error'] < 1e-5
        assert 'fpn.*' in json.loads(out)['not_computed']
    elif kind == 'odm_crop':
        assert len(checks) == 121 and checks['logits']['error'] < 1e-5
        assert checks['loss_contrastive']['error'] < 1e-5
    elif kind == 'rope':
        assert len(checks) == 114 and checks['ids_keep']['error'] == 0
        assert checks['mixed.wide_tokens']['error'] < 1e-5
    else:
        assert checks['logits_teacher_forced']['error'] < 1e-5
        assert checks['greedy (characters that differ)']['error'] == 0


@pytest.mark.parametrize('kind', KINDS)
def test_own_numbers_are_matched(verify, repo, kind):
    code, out = verify(repo / f'tests/data/reference_{kind}.npz')
    assert code == 0 and '0 missed' in out, out


@pytest.mark.parametrize('kind, name', [
    ('pretrain', 'loss_align'), ('pretrain', 'gradnorm.decoder_embed2.weight'),
    ('pretrain', 'state.decoder_blocks.0.linear1.weight'),
    ('recognizer', 'greedy'), ('recognizer', 'memory'),
    ('seqclr', 'none.frame.instances_view1'),
    ('seqclr', 'linear.all.loss_sum'), ('seqclr', 'tokens_view0'),
    ('seqclr', 'bilstm.window.gradnorm.rnn.weight_hh_l0_reverse'),
    ('seqclr', 'state.linear.bias'), ('seqclr', 'temperature'),
    ('seqclr', 'quirk.row_band_instances_view0'), ('masks', 'ratio'),
    ('masks', 'ink.gumbel_u'), ('masks', 'ink.mask'), ('masks', 'ink.noise'),
    ('masks', 'span.aspect'), ('masks', 'span.v'), ('masks', 'span.hard'),
    ('masks', 'dshm.features'), ('masks', 'dshm.score'),
    ('masks', 'dshm.text'),
    ('jepa', 'target_full'), ('jepa', 'target'), ('jepa', 'context'),
    ('jepa', 'pred'), ('jepa', 'loss_smooth_l1'), ('jepa', 'loss_mse'),
    ('jepa', 'd2v.target_ffn'), ('jepa', 'd2v.target_block'),
    ('jepa', 'd2v.cls_target'), ('jepa', 'd2v.last_ffn'),
    ('jepa', 'gradnorm.predictor.mask_token'), ('jepa', 'momentum'),
    ('jepa', 'momentum_after.target_encoder.blocks.1.mlp.fc1.weight'),
    ('jepa', 'schedule.ijepa_linear_0.99_to_1_5_steps'),
    ('jepa', 'schedule.d2v_at_0_50k_200k'),
    ('jepa', 'state.target_encoder.blocks.0.attn.qkv.weight'),
    ('dig', 'encoder_output'), ('dig', 'windows'), ('dig', 'pix_projected'),
    ('dig', 'q_aug'), ('dig', 'k_masked'), ('dig', 'pred'), ('dig', 'target'),
    ('dig', 'target_norm'), ('dig', 'loss'), ('dig', 'loss_contrast'),
    ('dig', 'loss_pixel_norm_target'), ('dig', 'momentum'),
    ('dig', 'temperature'), ('dig', 'state.encoder.blocks.0.attn.q_bias'),
    ('dig', 'state.pix_projector_m.3.weight'), ('dig', 'weight_contrast'),
    ('dig', 'momentum_after.projection.3.weight'),
    ('dig', 'gradnorm.encoder.blocks.0.attn.v_bias'),
    ('ssm', 'latent'), ('ssm', 'decoded_pos'), ('ssm', 'pred_neg'),
    ('ssm', 'q_pos'), ('ssm', 'k_neg'), ('ssm', 'loss_pixel_neg'),
    ('ssm', 'loss_contrast_pos'), ('ssm', 'loss_dense_neg'), ('ssm', 'loss'),
    ('ssm', 'loss_dense_mse_pos'), ('ssm', 'feature_weight'),
    ('ssm', 'momentum'), ('ssm', 'state.prompt_embd.embedding.weight'),
    ('ssm', 'state.mm_decoder_blocks.0.mlp.fc2.bias'),
    ('ssm', 'state.decoder_pos_embed'), ('ssm', 'original_uint8'),
    ('ssm', 'gradnorm.prompt_embd.embedding.weight'),
    ('ssm', 'momentum_after.decoder_blocks.0.attn.proj.weight'),
    ('ccd', 'views'), ('ccd', 'theta'), ('ccd', 'center'), ('ccd', 'masks'),
    ('ccd', 'pos_table'), ('ccd', 'features_student'),
    ('ccd', 'features_teacher'), ('ccd', 'seg_logits'), ('ccd', 'clusters'),
    ('ccd', 'clusters_warped'), ('ccd', 'masks_warped'), ('ccd', 'index'),
    ('ccd', 'regions_student'), ('ccd', 'regions_teacher'),
    ('ccd', 'logits_student'), ('ccd', 'logits_teacher'), ('ccd', 'loss_seg'),
    ('ccd', 'loss_dino'), ('ccd', 'loss'), ('ccd', 'loss_seg_from_logits'),
    ('ccd', 'center_new'), ('ccd', 'late.clusters'), ('ccd', 'late.loss'),
    ('ccd', 'late.logits_student'), ('ccd', 'gradnorm.backbone.pos_embed'),
    ('ccd', 'gradnorm.head.last_layer.weight_v'),
    ('ccd', 'state.student.segmentation.unpool1.0.weight'),
    ('ccd', 'state.student.backbone.pos_embed'),
    ('ccd', 'state.teacher.head.mlp.4.weight'),
    ('ccd_recognizer', 'images'), ('ccd_recognizer', 'features'),
    ('ccd_recognizer', 'memory'), ('ccd_recognizer', 'logits_teacher_forced'),
    ('ccd_recognizer', 'cross_attention_last'), ('ccd_recognizer', 'loss'),
    ('ccd_recognizer', 'probs_greedy'), ('ccd_recognizer', 'greedy'),
    ('ccd_recognizer', 'gradnorm.encoder.fc1.weight'),
    ('ccd_recognizer', 'state.decoder.trg_word_emb.weight'),
    ('odm', 'text.block0'), ('odm', 'text.ln_final'),
    ('odm', 'text.encoded'), ('odm', 'decoder.block0'), ('odm', 'visual.x5'),
    ('odm', 'decoder.attention0'), ('odm', 'decoder.out'),
    ('odm', 'loss_seg'), ('odm', 'loss_contrastive'), ('odm', 'loss'),
    ('odm', 'logits_per_image'), ('odm', 'state.text_projection'),
    ('odm', 'state.image_pos'), ('odm_crop', 'images'),
    ('odm_crop', 'tokens'), ('odm_crop', 'text_chars'),
    ('odm_crop', 'decoder_attention1'), ('odm_crop', 'decoder_out'),
    ('odm_crop', 'logits'), ('odm_crop', 'similarity'),
    ('odm_crop', 'ocr_terms'), ('odm_crop', 'ocr_l1_terms'),
    ('odm_crop', 'loss_contrastive_twins_kept'), ('odm_crop', 'loss_ocr'),
    ('odm_crop', 'state.ocr.blocks.0.mlp.fc1.weight'),
    ('odm_crop', 'state.decoder.pred.bias'), ('odm_crop', 'similarity_masked'),
    ('odm_crop', 'gradnorm.text.positions'),
    ('comer', 'memory'), ('comer', 'attn.0'), ('comer', 'attn.1'),
    ('comer', 'curr.1'), ('comer', 'refine.1'), ('comer', 'logits'),
    ('comer', 'loss'), ('comer', 'train.refine.1'),
    ('comer', 'train.running_mean'), ('comer', 'train.running_var'),
    ('comer', 'refine_cross.1'), ('comer', 'logits_cross'),
    ('comer', 'refine_self.1'), ('comer', 'loss_self'),
    ('comer', 'logits_none'), ('comer', 'greedy.logits'),
    ('comer', 'greedy.tokens'), ('comer', 'memory_mask'),
    ('comer', 'gradnorm.model.arm.conv.weight'),
    ('comer', 'gradnorm.model.arm.post_norm.bn.bias'),
    ('comer', 'gradnorm_cross.model.arm.conv.weight'),
    ('comer', 'state.model.arm.post_norm.bn.running_var'),
    ('comer', 'state_self.model.arm.proj.weight'),
    ('comer', 'state.pos_enc.pe'),
    ('rope', 'images'), ('rope', 'wide'), ('rope', 'target'),
    ('rope', 'axial.cos'), ('rope', 'axial.q_rot.0'),
    ('rope', 'axial.masked_tokens'), ('rope', 'axial.gradnorm.norm.bias'),
    ('rope', 'axial.block.0'), ('rope', 'mixed.sin'), ('rope', 'mixed.loss'),
    ('rope', 'mixed.k_rot.0'), ('rope', 'mixed.wide_tokens'),
    ('rope', 'mixed.grad.freqs'), ('rope', 'mixed.state.freqs'),
    ('rope', 'mixed_ape.tokens'), ('rope', 'mixed_ape.gradnorm.pos_embed'),
    ('rope', 'mixed_ape.state.pos_embed'), ('rope', 'roformer.table'),
    ('rope', 'roformer.q'), ('rope', 'roformer.v_rot'),
    ('rope', 'roformer.logits'), ('rope', 'roformer.hidden.1'),
    ('rope', 'roformer.state.encoder.embed_positions.weight'),
    ('rope', 'dinov3.min.2x3.cos'), ('rope', 'eva02.2x3.sin'),
    ('dcn', 'v1.x'), ('dcn', 'v1.offset'), ('dcn', 'v1.output'),
    ('dcn', 'v1.grad.offset'), ('dcn', 'v2.mask'), ('dcn', 'v2.bias'),
    ('dcn', 'v2.grad.mask'), ('dcn', 'v2.grad.weight'),
    ('dcn', 'v2.grad_output'), ('pixels', 'images'), ('pixels', 'noise'),
    ('pixels', 'mask_ratio'), ('pixels', 'feature_target'),
    ('pixels', 'tokens'), ('pixels', 'feature_loss'), ('pixels', 'perm'),
    ('pixels', 'shuffled_cls'), ('pixels', 'mae.latent'),
    ('pixels', 'mae.pred'), ('pixels', 'mae.target'), ('pixels', 'mae.loss'),
    ('pixels', 'mae.target_norm_pix'), ('pixels', 'mae.loss_norm_pix'),
    ('pixels', 'mae.ids_restore'), ('pixels', 'mae.mask'),
    ('pixels', 'mae.gradnorm.vit.pos_embed'), ('pixels', 'state.mask_token'),
    ('pixels', 'feature_gradnorm.vit.pos_embed'),
    ('pixels', 'state.vit.pos_embed'), ('pixels', 'state.decoder_pos_embed'),
    ('siga', 'unit.attention'), ('siga', 'unit.seg_logits'),
    ('siga', 'unit.glyph_logits_low'), ('siga', 'unit.masks'),
    ('siga', 'unit.length'), ('siga', 'unit.labels_low'),
    ('siga', 'unit.loss_ins'), ('siga', 'unit.loss_cor'),
    ('siga', 'unit.loss_dif'), ('siga', 'unit.loss_seg_middle'),
    ('siga', 'unit.grad.attention'), ('siga', 'unit.gradnorm.seg_logits'),
    ('siga', 'attention'), ('siga', 'masks'), ('siga', 'text'),
    ('siga', 'length'), ('siga', 'foreground'), ('siga', 'glyph_labels_low'),
    ('siga', 'logits_final'), ('siga', 'loss_trba'), ('siga', 'loss_seq'),
    ('siga', 'loss'), ('siga', 'late.loss_ins'), ('siga', 'late.loss'),
    ('darling', 'image_a'), ('darling', 'image_b'),
    ('darling', 'image_erased'), ('darling', 'text_a'), ('darling', 'text_b'),
    ('darling', 'tokens_a'), ('darling', 'style_b'), ('darling', 'content_a'),
    ('darling', 'logits_b'), ('darling', 'painted_b'),
    ('darling', 'painted_a_mean'), ('darling', 'erased_a'),
    ('darling', 'gate0_mean'), ('darling', 'loss_ce'),
    ('darling', 'loss_align'), ('darling', 'loss_edit'),
    ('darling', 'loss_remove'), ('darling', 'loss'),
    ('darling', 'gradnorm_style_of_painter'),
    ('darling', 'gradnorm_content_of_reader'),
    ('darling', 'gradnorm.painter.gates.0.weight'),
    ('darling', 'state.decouple.norm.bias'),
    ('darling', 'state.painter.positions'),
    ('darling', 'state.decoder.trg_word_emb.weight'),
    ('hsg', 'embedding'), ('hsg', 'pixel_embedding'), ('hsg', 'pixel_fine'),
    ('hsg', 'pixel_segment'), ('hsg', 'segment_prototype'),
    ('hsg', 'segment_coarse'), ('hsg', 'kmeans_cluster_index'),
    ('hsg', 'node_padding'), ('hsg', 'node_view'), ('hsg', 'adjacency'),
    ('hsg', 'fine_label'), ('hsg', 'coarse_label'), ('hsg', 'fine_prob'),
    ('hsg', 'coarse_centroid'), ('hsg', 'coarse_memory'),
    ('hsg', 'loss_pixel'), ('hsg', 'loss_coarse'), ('hsg', 'grad.embedding'),
    ('hsg', 'loss_modularity_coarse'), ('hsg', 'loss_collapse_fine'),
    ('hsg', 'loss_centroid_coarse'), ('hsg', 'loss_clustering'),
    ('hsg', 'position_embedding'),
    ('hsg', 'gradnorm.coarse_query_embed._query_embedding.weight'),
    ('hsg', 'state.pos_embed.row_embed.weight'),
    ('hsg', 'state.fine_hrchy_transformer.centroid_feat_fc.2.running_var'),
    ('incontext', 'memory'), ('incontext', 'enc'), ('incontext', 'word_1'),
    ('incontext', 'targets'), ('incontext', 'chained.logits_0'),
    ('incontext', 'chained.greedy'), ('incontext', 'chained.greedy_logits'),
    ('incontext', 'independent.loss'), ('incontext', 'plain.greedy'),
    ('incontext', 'independent.logits_2'), ('incontext', 'embedding'),
    ('incontext', 'chained.gradnorm.classifier.bias'),
    ('incontext', 'similarity'),
    ('incontext', 'state.decoder.position_enc.position_table'),
    ('e2str', 'order'), ('e2str', 'similarity'), ('e2str', 'pool_embedding'),
    ('e2str', 'query_embedding')
])
def test_a_difference_is_found(verify, changed, kind, name):
    def differ(ref):
        ref[name] = (ref[name] == 0 if name in BINARY else
                     ref[name] + 1 if name in WHOLE else
                     ref[name][::-1] if name == 'perm' else
                     1 - ref[name] if name == 'noise' else
                     ref[name] - 0.1 if name == 'mask_ratio' else
                     (ref[name] * 1.005 + 2e-3).astype(ref[name].dtype))

    code, out = verify(changed(kind, differ), '--json')
    assert code == 1 and not json.loads(out)['passed']


@pytest.mark.parametrize('kind, lost, words', [
    ('pretrain', 'target', 'lacks target'),
    ('pretrain', 'gradnorm.mask_token', 'lacks gradnorm.*mask_token'),
    ('pretrain', 'meta', 'no reference file.*meta'),
    ('seqclr', 'linear.frame.loss_mean_instances_per_image', 'lacks linear.f'),
    ('seqclr', 'bilstm.all.gradnorm.linear.bias', 'lacks .*linear.bias'),
    ('seqclr', 'state.linear.bias', 'do not fit one another'),
    ('masks', 'span.phase', 'lacks span.phase'),
    ('masks', 'dshm.mask', 'lacks dshm.mask'),
    ('jepa', 'context', 'lacks context'),
    ('jepa', 'd2v.last_ffn', 'lacks d2v.last_ffn'),
    ('jepa', 'schedule.d2v_at_0_50k_200k', 'lacks schedule.d2v_at_'),
    ('jepa', 'gradnorm.encoder.norm.bias', 'lacks gradnorm.encoder.norm.b'),
    ('dig', 'k_aug', 'lacks k_aug'),
    ('dig', 'state.predictor.3.weight', 'do not fit'),
    ('ssm', 'loss_dense_pos', 'lacks loss_dense_pos'),
    ('ssm', 'state.decoder_norm.bias', 'do not fit'),
    ('ssm', 'gradnorm.predictor.0.weight', 'lacks gradnorm.predictor.0'),
    ('ccd', 'late.index', 'lacks late.index'),
    ('ccd', 'gradnorm.segmentation.cls.bias', 'lacks gradnorm.segmentation'),
    ('ccd', 'state.teacher.backbone.norm.bias', 'do not fit'),
    ('ccd_recognizer', 'strings', 'lacks strings'),
    ('ccd_recognizer', 'state.encoder.fc1.bias', 'do not fit'),
    ('comer', 'refine_cross.1', 'lacks refine_cross.1'),
    ('comer', 'curr.1', 'lacks curr.1'),
    ('comer', 'gradnorm.model.layers.1.norm3.bias', 'lacks gradnorm.model'),
    ('comer', 'gradnorm_self.model.arm.conv.weight', 'lacks gradnorm_self'),
    ('comer', 'state_self.model.arm.proj.weight', 'do not fit'),
    ('comer', 'state.model.layers.1.norm3.bias', 'do not fit'),
    ('rope', 'mixed.tokens', 'lacks mixed.tokens'),
    ('rope', 'axial.gradnorm.blocks.1.gamma_2', 'lacks axial.gradnorm'),
    ('rope', 'axial.state.blocks.0.gamma_1', 'do not fit'),
    ('rope', 'mixed.grad.freqs', 'lacks mixed.grad.freqs'),
    ('dcn', 'v2.mask', 'lacks v2.mask'), ('dcn', 'v1.output', 'lacks v1.out'),
    ('dcn', 'v2.grad.bias', 'lacks v2.grad.bias'),
    ('pixels', 'mae.loss', 'lacks mae.loss'),
    ('pixels', 'mae.gradnorm.mask_token', 'lacks mae.gradnorm.mask_token'),
    ('pixels', 'state.decoder_pred.bias', 'do not fit'),
    ('siga', 'unit.loss_dif', 'lacks unit.loss_dif'),
    ('siga', 'late.loss_seq', 'lacks late.loss_seq'),
    ('siga', 'logits_trba', 'lacks logits_trba'),
    ('siga', 'glyph_logits_low', 'lacks glyph_logits_low'),
    ('darling', 'erased_a', 'lacks erased_a'),
    ('darling', 'gradnorm.painter.pred.bias', 'lacks gradnorm.painter.pred'),
    ('darling', 'state.painter.gates.0.bias', 'do not fit'),
    ('darling', 'state.decouple.norm.bias', 'do not fit'),
    ('hsg', 'loss_fine', 'lacks loss_fine'),
    ('hsg', 'gradnorm.pos_embed.row_embed.weight', 'lacks gradnorm.pos_emb'),
    ('hsg', 'state.fine_query_embed._query_embedding.weight', 'do not fit'),
    ('incontext', 'plain.greedy', 'lacks plain.greedy'),
    ('incontext', 'word_2', 'lacks word_2'),
    ('incontext', 'state.decoder.layer_norm.bias', 'do not fit'),
    ('incontext', 'chained.gradnorm.layer_norm.bias', 'lacks chained.grad'),
])
def test_an_incomplete_file_is_no_success(verify, changed, kind, lost, words):
    path = changed(kind, lambda ref: ref.pop(lost))
    assert re.search(words, verify(path)[0])


def test_other_words_are_found(verify, changed):
    for name, other in (('texts', '308'), ('strings', '?')):
        def differ(ref, name=name, other=other):
            ref[name][0] = other

        assert verify(changed('ccd_recognizer', differ))[0] == 1


@pytest.mark.parametrize('name, place, code', [
    ('num_windows', 3, 1), ('projector_out', 1, 'do not fit'),
    ('batch', 2, 'do not fit'), ('rows', 4, 'do not fit')])
def test_sizes_that_are_wrong_are_found(verify, changed, name, place, code):
    def enlarge(ref):
        assert ref['meta_names'][place] == name
        ref['meta'][place] += 1

    found = verify(changed('seqclr', enlarge))[0]
    assert found == code if code == 1 else code in found


@pytest.mark.parametrize('kind, name', [
    ('odm', 'heads'), ('odm', 'chars'), ('odm_crop', 'text_width'),
    ('odm_crop', 'joint'), ('siga', 'glyph_channels'), ('siga', 'batch'),
    ('darling', 'depth'), ('darling', 'painter_layers')])
def test_sizes_of_letters_that_are_wrong_are_found(verify, changed, kind,
                                                   name):
    def enlarge(ref):
        ref['meta'][ref['meta_names'].tolist().index(name)] += 1

    assert 'do not fit' in verify(changed(kind, enlarge))[0]


def test_a_thousandth_of_a_small_loss_is_found(verify, changed):
    def differ(ref):
        ref['loss_cor'] = ref['loss_cor'] * np.float32(1.001)

    code, out = verify(changed('siga', differ), '--json')
    missed = [check['name'] for check in json.loads(out)['checks']
              if not check['passed']]
    assert code == 1 and missed == ['loss_cor']


@pytest.mark.parametrize('name', ['N', 'kernel_w', 'pad_h', 'deform_groups'])
def test_sizes_of_a_case_that_are_wrong_are_found(verify, changed, name):
    def enlarge(ref):
        ref['v2.meta'][ref['meta_names'].tolist().index(name)] += 1

    assert 'do not fit' in verify(changed('dcn', enlarge))[0]


def test_what_is_not_checked_is_refused(verify, changed):
    path = changed('seqclr', lambda ref: ref.update(
        {'mlp.all.loss_sum': np.float32(1)}))
    assert 'not checked: mlp.all.loss_sum' in verify(path)[0]


def test_another_file_is_refused(verify, tmp_path):
    path = tmp_path / 'text.npz'
    path.write_text('words')
    assert 'no readable .npz' in verify(path)[0]
