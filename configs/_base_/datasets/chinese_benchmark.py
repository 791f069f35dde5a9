# The Chinese benchmark (BCTR), four subsets, each as LMDBs for training,
# validation and test. Put the folders side by side: they are called the same
# in the hand-outs of its authors and of OpenOCR.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
chinese_benchmark_data_root = '{{$LMIM_DATA_ROOT:data}}/chinese_benchmark'
chinese_benchmark_source = dict(
    homepage='https://github.com/FudanVI/benchmarking-chinese-text-recognition',
    obtain='Download the LMDBs of scene, web and document from the links on '
    'the home page. For handwriting download SCUT-HCCDoc, cut and divide it '
    'by data/divide_scut.py of the home page, and make LMDBs with `'
    'lmim data create`.')


def _parts(subset, train, val, test):
    """Training, validation and test sets of a subset, by their counts."""

    def _set(part, num_samples, test_mode, **published):
        return dict(
            type='TextImageDataset',
            data_root=chinese_benchmark_data_root,
            paths=f'{subset}_{part}',
            with_text=True,
            test_mode=test_mode,
            published=dict(
                name=subset.title(),
                num_samples=num_samples,
                labels='original',
                **published),
            pipeline=None)

    return (_set('train', train, False), _set('val', val, True),
            _set('test', test, True, benchmark='Chinese benchmark'))


(chinese_scene_textrecog_train, chinese_scene_textrecog_val,
 chinese_scene_textrecog_test) = _parts('scene', 509164, 63645, 63646)
(chinese_web_textrecog_train, chinese_web_textrecog_val,
 chinese_web_textrecog_test) = _parts('web', 112471, 14059, 14059)
(chinese_document_textrecog_train, chinese_document_textrecog_val,
 chinese_document_textrecog_test) = _parts('document', 400000, 50000, 50000)
(chinese_handwriting_textrecog_train, chinese_handwriting_textrecog_val,
 chinese_handwriting_textrecog_test) = _parts(
     'handwriting', 74603, 18651, 23389)

chinese_benchmark_textrecog_train_list = [
    chinese_scene_textrecog_train,
    chinese_web_textrecog_train,
    chinese_document_textrecog_train,
    chinese_handwriting_textrecog_train,
]

chinese_benchmark_textrecog_val_list = [
    chinese_scene_textrecog_val,
    chinese_web_textrecog_val,
    chinese_document_textrecog_val,
    chinese_handwriting_textrecog_val,
]

chinese_benchmark_textrecog_test_list = [
    chinese_scene_textrecog_test,
    chinese_web_textrecog_test,
    chinese_document_textrecog_test,
    chinese_handwriting_textrecog_test,
]
