"""`lmim export`: bring a checkpoint to ONNX."""
import argparse
from pathlib import Path
from typing import Any, Dict, List

from lmim.apis.loading import reader_path
from lmim.export.exporting import KINDS, READER, export
from lmim.utils.errors import UserError
from lmim.utils.log import quiet

from . import Command, add_size_arguments


class Export(Command):
    """Export a model for onnxruntime, which needs no torch.

    FOLDER gets the graphs (*.onnx), manifest.json, and for a recognizer a
    small reader, read.py, which needs numpy, opencv-python and onnxruntime
    only:

      lmim export --output exported
      python exported/read.py word.png

    The paper's recognizer becomes two graphs, encoder and step of the
    decoder; CTC and parallel ones become one. Of other models, and of
    pre-training, the encoder can be exported. Pixels are uint8 of shape
    (N, height, width, 3), BGR as OpenCV reads them, with N of any size.

    Before FOLDER is there, pictures are read with torch and with onnxruntime.
    If texts differ, or scores by more than rounding, nothing is written.
    """

    name = 'export'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('checkpoint', type=Path, nargs='?', metavar='CHECKPOINT',
            help='of a recognizer, or any with an encoder; nothing in it is '
            'executed (default: the reader that comes with lmim)')
        add('--output', type=Path, required=True, metavar='FOLDER',
            help='the folder to make, whole or not at all')
        add('--overwrite', action='store_true',
            help='replace FOLDER if it is there')
        add('--config', type=Path,
            help='the config, for a checkpoint that carries none')
        add('--kind', choices=KINDS, default='auto',
            help='auto: the recognizer, where the checkpoint is of one '
            '(default: %(default)s)')
        add('--language', metavar='NAME',
            help='for CTC recognizers, as of `lmim infer`; the reader of the '
            'folder heeds it (default: as the config says)')
        add_size_arguments(parser)
        add('--images', type=Path, nargs='+', metavar='PICTURES',
            help='pictures to check by: images, folders, LMDBs or lists '
            '(default: words that are rendered)')
        add('--int8', action='store_true',
            help='weights of 8 bits, activations quantised as they come; its '
            'agreement with fp32 and its speed are reported')
        add('--min-agreement', type=_share, default=0., metavar='SHARE',
            help='with --int8: write nothing if a smaller share of the texts '
            'agrees (of an encoder: if tokens have a smaller cosine)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Export as the command line says."""
        if args.min_agreement and not args.int8:
            raise UserError('--min-agreement is that of --int8: add it')
        with quiet():  # what is loaded is in the report
            manifest = export(
                args.checkpoint or reader_path(), args.output, args.config,
                args.kind, args.int8, args.images, args.min_agreement,
                args.overwrite, args.language, args.width,
                args.max_length)
        return {'ok': True, 'output': str(args.output), 'manifest': manifest}

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was written, and how far it agrees with torch."""
        manifest, folder = result['manifest'], Path(result['output'])
        files = manifest['files'].values()
        size = sum((folder / name).stat().st_size for name in files)
        parity, image = manifest['parity'], manifest['image']
        encoder = manifest['kind'] == 'encoder'
        what = ('encoder' if encoder else f'{manifest["kind"]} recognizer, '
                f'{len(manifest["classes"])} classes')
        same = 'tokens' if encoder else 'texts are the same, and scores'
        lines = [
            f'{folder}: {what}, {manifest["precision"]}, {", ".join(files)}, '
            f'{size:,} bytes, of {manifest["checkpoint"]["name"]}',
            f'{parity["samples"]} pictures ({parity["origin"]}), in batches '
            f'of {" and ".join(map(str, parity["batch_sizes"]))}: of torch '
            f'and onnxruntime {same} differ by '
            f'{parity["max_difference"]:.1e} at the most',
            *([f'pictures are {image["widths"][0]} to {image["widths"][1]} '
               'wide, as their shape says; checked at '
               f'{", ".join(map(str, parity["widths"]))}']
              if 'widths' in image else []),
            *(f'skipped {reason}' for reason in parity['skipped']),
        ]
        if not manifest['checkpoint']['config']:
            lines.append(
                'the checkpoint carries no config: pixels are normalised as '
                "in this project's pre-training, by 127.5 and 127.5")
        if 'int8' in manifest:
            lines += _int8_lines(manifest['int8'], encoder)
        if not encoder:
            lines.append(f'read with it: python {folder / READER} IMAGES...')
        return '\n'.join(lines)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f'{text} is not between 0 and 1')
    return value


def _int8_lines(about: Dict[str, Any], encoder: bool) -> List[str]:
    """What became of it in 8 bits, in words."""
    rates = [
        f'{rate["int8"]:.0f} and {rate["fp32"]:.0f} images/s in batches of '
        f'{size} ({rate["int8"] / rate["fp32"]:.2f}x)'
        for size, rate in about['images_per_second'].items()]
    if encoder:
        agree = f'tokens have a mean cosine of {about["agreement"]:.5f}'
    else:
        agree = (f'{about["agreement"]:.1%} of {about["samples"]} texts '
                 'agree, and where they do scores differ by up to '
                 f'{about["max_score_difference"]:.2g}')
    return [
        f'int8 with fp32: {agree}',
        *(f'  {line}' for line in about.get('other_texts', [])[:5]),
        f'int8 and fp32, one thread: {"; ".join(rates)}',
        f'int8 and fp32: {about["bytes"]["int8"]:,} and '
        f'{about["bytes"]["fp32"]:,} bytes',
    ]


main = Export().main
