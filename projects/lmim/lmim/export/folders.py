"""The folder of an export, and what reads it."""
import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator

from .errors import ExportError
from .onnx_files import library


def write_manifest(manifest: Dict[str, Any], folder: Path) -> None:
    """Write what is known of the graphs, for the reader and for people."""
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / 'manifest.json').write_text(text + '\n', encoding='utf-8')


def open_reader(folder: Path) -> Any:
    """The reader of a recognizer that was exported."""
    # It needs onnxruntime. One thread, for speeds that can be compared.
    from .onnx_reader import OnnxTextReader
    return OnnxTextReader(folder, threads=1)


def open_encoder(folder: Path, manifest: Dict[str, Any]) -> Any:
    """The session of onnxruntime of an encoder that was exported."""
    runtime: Any = library('onnxruntime')
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(
        str(folder / manifest['files']['encoder']), options,
        providers=['CPUExecutionProvider'])


@contextmanager
def refusals() -> Iterator[None]:
    """Turn onnxruntime's own errors into one for the user.

    Raises:
        ExportError: In place of them.
    """
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith('onnxruntime'):
            raise
        reason = str(error).strip().split('\n')[0]
        raise ExportError(
            f'onnxruntime cannot run what was exported: {reason}. Nothing '
            'was written. Other versions of torch, onnxscript or onnxruntime '
            'may do it right') from error
