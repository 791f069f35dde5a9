"""A recognizer as one small file for others: weights, config, record."""
import json
from pathlib import Path
from typing import Any, Dict, Union

from lmim.checkpoints import Checkpoint, CheckpointError, detect_format
from lmim.checkpoints.averaging import not_finite
from lmim.checkpoints.config_text import write_config
from lmim.checkpoints.contents import complete_dictionary
from lmim.checkpoints.dictionaries import dictionaries_of
from lmim.utils.errors import UserError, some

from .loading import (AnyConfig, load_recognizer, needed_config,
                      without_glyph_weights, without_glyphs,
                      without_pretrained)
from .preprocessing import Preprocessing, find_pipeline

#: What a record tells at least: name and licence of the weights, what they
#: were trained on, by which seeds and commit, and how well they read: for each
#: set its figures by their names.
RECORD = ('name', 'licence', 'data', 'seeds', 'commit', 'figures')
#: Where a page has what is filled in from a record.
BEGIN, END = '<!-- from the record -->', '<!-- end of the record -->'
#: What is kept of what a run tells of its checkpoint.
_KEPT = ('epoch', 'iter', 'seed', 'averaged', 'dictionary', 'record')


def publish(source: Checkpoint, record: Dict[str, Any],
            config: AnyConfig = None, half: bool = True) -> Checkpoint:
    """Make of a run's checkpoint what others need to read with it.

    Its config is that of the model and of how pictures are tested; it names
    no file and no data set. Optimizer and states of training are left out,
    and so is a head of glyphs that is for training alone.

    Args:
        source (Checkpoint): Of a recognizer.
        record (Dict[str, Any]): As :func:`read_record` gives it; may be empty.
        config (optional): Its config, where it carries none.
        half (bool): Whether weights of two and more axes are stored in 16
            bits; those of one, such as statistics of norms, are few and stay.

    Raises:
        CheckpointError: If it is none of a recognizer that can be read from
            such a file, or has values that 16 bits cannot hold.
    """
    found = without_glyphs(needed_config(source, config))
    meta = {key: source.meta[key] for key in _KEPT if key in source.meta}
    complete_dictionary(meta, found.model)
    model = without_pretrained(found.model)
    for part in dictionaries_of(model):
        part['dict_file'] = Path(part['dict_file']).name
    meta['cfg'] = write_config(dict(
        default_scope='mmocr',
        custom_imports=dict(imports=['lmim'], allow_failed_imports=False),
        model=model,
        test_dataloader=dict(dataset=dict(
            pipeline=find_pipeline(found.cfg.to_dict())))))
    if record:
        meta['record'] = record
    weights = {name: value.half() if half and value.dim() > 1
               and value.is_floating_point() else value
               for name, value in without_glyph_weights(
                   source.by_module_names()).items()}
    bad = not_finite(weights)
    if bad:
        raise CheckpointError(
            f'{source.path} has weights that are not finite'
            + (' in 16 bits' if half else '') + f': {some(bad)}'
            + ('. Take --precision fp32' if half else ''))
    made = source._replace(
        weights=weights, meta=meta, wraps='state_dict',
        kind=source.kind and detect_format(weights))
    if made.characters() is None and dictionaries_of(model):
        raise CheckpointError(
            f'{source.path} carries no dictionary, and there is none where '
            'its config says: name a config whose dict_file is there, '
            '--config CONFIG')
    # Whoever has but this file can read with it, or it is not made.
    _, cfg = load_recognizer(made)
    Preprocessing(cfg, f'the config of {source.path}', trusted=False)
    return made


def read_record(path: Union[str, Path]) -> Dict[str, Any]:
    """Read a record of training, a JSON object with the keys of RECORD.

    Raises:
        OSError: If it cannot be read.
        UserError: If it is no such object.
    """
    try:
        record = json.loads(Path(path).read_text(encoding='utf-8'))
    except ValueError as error:
        raise UserError(f'{path} is not JSON: {error}') from error
    lacks = [key for key in RECORD
             if not isinstance(record, dict) or key not in record]
    if lacks:
        raise UserError(f'{path} is no record: it is an object with '
                        f'{", ".join(RECORD)}, and has no {", ".join(lacks)}')
    figures = record['figures']
    if not (isinstance(figures, dict) and all(
            isinstance(one, dict) and all(
                isinstance(value, (int, float)) for value in one.values())
            for one in figures.values())):
        raise UserError(f'{path}: figures are an object for each set, of '
                        'numbers by their names, as {"SVT": {"words": 647, '
                        '"WAICS": 80.5}}')
    return record


def describe_record(record: Dict[str, Any]) -> str:
    """A record in Markdown: what it tells, and a table of its figures."""
    lines = [f'- {key}: {_told(value)}' for key, value in record.items()
             if key != 'figures']
    figures = record['figures']
    names = list(dict.fromkeys(
        name for one in figures.values() for name in one))
    rows = [['set', *names], ['---'] * (1 + len(names))]
    for key, one in figures.items():
        values = [one.get(name, '') for name in names]
        rows.append([key, *(
            f'{value:.1f}' if isinstance(value, float) else
            f'{value:,}' if isinstance(value, int) else value
            for value in values)])
    return '\n'.join([*lines, '', *(f'| {" | ".join(row)} |' for row in rows)])


def fill_card(text: str, record: Dict[str, Any], where: str) -> str:
    """A page with the record between its two marks.

    Raises:
        UserError: If it lacks the marks; ``where`` is its name.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise UserError(f'{where} has no lines {BEGIN} and {END}, between '
                        'which the record would come')
    return f'{before}{BEGIN}\n{describe_record(record)}\n{END}{after}'


def _told(value: Any) -> str:
    """A value in words."""
    if isinstance(value, dict):
        return '; '.join(f'{key} {_told(one)}' for key, one in value.items())
    if isinstance(value, list):
        return '; '.join(map(_told, value))
    return str(value)
