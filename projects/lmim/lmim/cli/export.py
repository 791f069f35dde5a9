"""The command line of `tools/export.py`."""
import argparse
import json
from pathlib import Path
from typing import Any, Dict, List, Optional

from lmim.cli import guarded
from lmim.cli.main import EXIT_CODES
from lmim.utils.log import quiet

from lmim.export.exporting import KINDS, READER, Settings, export

DESCRIPTION = """Export a model for onnxruntime, which needs no torch.

FOLDER gets the graphs (*.onnx), manifest.json, and for a recognizer a small
reader, read.py, which needs numpy, opencv-python and onnxruntime only:

  python tools/export.py epoch_10.pth --output exported
  python exported/read.py word.png

The paper's recognizer becomes two graphs, encoder and step of the decoder;
CTC and parallel ones become one. Of other models, and of pre-training, the
encoder can be exported. Pixels are uint8 of shape (N, height, width, 3), BGR
as OpenCV reads them, with N of any size.

Before FOLDER is there, samples are read with torch and with onnxruntime. If
texts differ, or scores by more than rounding, nothing is written."""


def main(argv: Optional[List[str]] = None) -> int:
    """Export as the command line says.

    Args:
        argv (list[str], optional): Arguments. Defaults to the process's own.

    Returns:
        int: The exit status.
    """
    parser = _parser()
    args = parser.parse_args(argv)
    if args.min_agreement and not args.int8:
        parser.error('--min-agreement is that of --int8: add it')
    asked = Settings(**{name: value for name, value in vars(args).items()
                        if name in Settings._fields})

    def work() -> Dict[str, Any]:
        with quiet():  # what is loaded is told below
            return export(asked)

    status, result = guarded('export', args, work)
    if result is None:
        return status
    if args.json:
        print(json.dumps({'command': 'export', 'ok': True,
                          'output': str(args.output),
                          'manifest': result}, indent=2))
    else:
        print(_report(result, args.output))
    return 0


def _parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog='export.py', description=DESCRIPTION, epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('checkpoint', type=Path, metavar='CHECKPOINT',
        help='of a recognizer, or any with an encoder; nothing in it is '
        'executed')
    add('--output', type=Path, required=True, metavar='FOLDER',
        help='the folder to make, whole or not at all')
    add('--overwrite', action='store_true',
        help='replace FOLDER if it is there')
    add('--config', type=Path,
        help='the config, for a checkpoint that carries none')
    add('--kind', choices=KINDS, default='auto',
        help='auto: the recognizer, where the checkpoint is of one '
        '(default: %(default)s)')
    add('--images', type=Path, nargs='+', metavar='SAMPLES',
        help='pictures to check by: images, folders, LMDBs or lists '
        '(default: words that are rendered)')
    add('--int8', action='store_true',
        help='weights of 8 bits, activations quantised as they come; how far '
        'it agrees with fp32, and its speed, are told')
    add('--min-agreement', type=_share, default=0., metavar='SHARE',
        help='with --int8: write nothing if a smaller share of the texts '
        'agrees (of an encoder: if tokens have a smaller cosine)')
    add('--pt2', action='store_true',
        help='write the graph for torch.export.load, too; not of the '
        "paper's recognizer, which is two")
    add('--json', action='store_true',
        help='print the result as one JSON object on standard output '
        '(errors go to standard error)')
    add('--debug', action='store_true',
        help='show where an error was raised')
    return parser


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f'{text} is not between 0 and 1')
    return value


def _report(manifest: Dict[str, Any], folder: Path) -> str:
    """What was done, in words."""
    files = manifest['files'].values()
    size = sum((folder / name).stat().st_size for name in files)
    parity = manifest['parity']
    encoder = manifest['kind'] == 'encoder'
    what = ('encoder' if encoder else f'{manifest["kind"]} recognizer, '
            f'{len(manifest["classes"])} classes')
    same = 'tokens' if encoder else 'texts are the same, and scores'
    lines = [
        f'{folder}: {what}, {manifest["precision"]}, {", ".join(files)}, '
        f'{size:,} bytes',
        f'{parity["samples"]} samples ({parity["origin"]}), in batches of '
        f'{" and ".join(map(str, parity["batch_sizes"]))}: of torch and '
        f'onnxruntime {same} differ by {parity["max_difference"]:.1e} at the '
        'most',
        *(f'skipped {reason}' for reason in parity['skipped']),
    ]
    if manifest['checkpoint'].get('config') is False:
        lines.append('the checkpoint carries no config: pixels are normalised '
                     "as in this project's pre-training, by 127.5 and 127.5")
    if 'int8' in manifest:
        lines += _int8_lines(manifest['int8'], encoder)
    if 'pt2' in manifest:
        lines.append('{file}: differs from the model by {max_difference:.1e} '
                     'at the most'.format(**manifest['pt2']))
    if not encoder:
        lines.append(f'read with it: python {folder / READER} IMAGES...')
    return '\n'.join(lines)


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
