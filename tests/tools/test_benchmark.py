"""`tools/benchmark.py`: what is measured, and what is refused."""
import argparse
import importlib
import json
import mmap
import os
import sys
from pathlib import Path
from typing import Any, Callable, List, Tuple

import pytest
import torch

Module = Callable[[str], Any]


@pytest.fixture
def module(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of tools/benchmarks, or tools/benchmark.py."""
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    threads = torch.get_num_threads()
    yield lambda name: importlib.import_module(
        f'benchmarks.{name}' if name != 'benchmark' else name)
    torch.set_num_threads(threads)


@pytest.fixture
def parse(module: Module) -> Callable[..., Tuple[Any, argparse.Namespace]]:
    """A benchmark of models, and its arguments for the smallest run."""

    def parse(name: str, *words: str) -> Tuple[Any, argparse.Namespace]:
        tool = module('benchmark').TOOL
        args = tool.parser().parse_args(
            [name, '--arch', 'mini', '--batch', '1', '--rounds', '1',
             '--device', 'cpu', *words])
        return tool.commands[name], args

    return parse


def test_wrong_command_lines_exit_2(module: Module) -> None:
    for argv in ['paint'], ['pretrain', '--rounds', '0']:
        with pytest.raises(SystemExit) as stopped:
            module('benchmark').TOOL.main(argv)
        assert stopped.value.code == 2


def test_machine_and_result(module: Module,
                            capsys: pytest.CaptureFixture) -> None:
    """In words and as JSON; what a user can fix ends with status 1."""
    tool = module('benchmark').TOOL
    small = ['pipeline', '--batch', '3', '--rounds', '1']
    assert tool.main([*small, '--json']) == 0
    result = json.loads(capsys.readouterr().out)
    assert result['command'] == 'pipeline'
    assert result['machine']['cores'] >= 1
    plain, ours = result['rows']
    assert (plain['side'], ours['side']) == ('plain', 'ours')
    assert plain['ratio'] == 1 < ours['ratio']
    report = tool.commands['pipeline'].report(result)
    assert report.startswith('1,000 records of rendered words, one thread, '
                             'batches of 3\n')
    assert tool.main(['memory', '--batch', '4', '--accumulate', '3']) == 1
    assert '--batch 4 cannot be divided by' in capsys.readouterr().err


@pytest.mark.parametrize('name, sides', [
    ('pretrain', ['plain', 'ours fp32']),
    ('finetune', ['plain', 'ours fp32']),
    ('recognize', ['plain', 'autoregressive fp32', 'ctc fp32',
                   'parallel fp32']),
])
def test_both_sides_agree_and_are_measured(
        parse: Callable, name: str, sides: List[str]) -> None:
    benchmark, args = parse(name, '--precision', 'fp32')
    result = benchmark.run(args)
    assert 0 < result['difference'] <= 1e-5
    assert [row['side'] for row in result['rows']] == sides
    assert all(row['batch'] == 1 and row['images/s'] > 0
               for row in result['rows'])
    lines = benchmark.report(result).splitlines()
    assert f'differ by at most {result["difference"]:.2g}' in lines[0]
    assert lines[3].split()[:5] == ['|', '1', '|', 'plain', '|']


@pytest.mark.parametrize('name, weight, message', [
    ('pretrain', 'neck.decoder_blocks.0.norm2.weight', 'loss_recon of ours'),
    ('pretrain', 'backbone.layers.1.attn.qkv.bias', 'loss_recon of ours'),
    ('finetune', 'decoder.layer_stack.5.norm3.weight', 'loss_ce of ours'),
    ('recognize', 'decoder.layer_stack.5.norm3.weight',
     'words differ|probabilities of ours'),
])
def test_a_reference_that_computes_something_else_is_refused(
        module: Module, parse: Callable, monkeypatch: pytest.MonkeyPatch,
        name: str, weight: str, message: str) -> None:
    steps = module('steps')
    build = steps.build

    def changed(kind: str, arch: str, device: str, plain: bool) -> Any:
        model = build(kind, arch, device, plain)
        if plain:
            value = model.get_parameter(weight).data
            value += torch.linspace(0, 1, len(value))
        return model

    monkeypatch.setattr(steps, 'build', changed)
    benchmark, args = parse(name)
    with pytest.raises(ValueError, match=f'^{name}: .*({message})'):
        benchmark.check(args, 1)


def test_wrong_gradients_are_refused(
        module: Module, parse: Callable,
        monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses alone would not show a gradient that stops on its way."""
    vit = module('plain').PlainMaskedViT
    whole = vit.forward

    def stopped(self: Any, images: torch.Tensor, mask: bool = True,
                **kwargs: Any) -> Any:
        tokens = whole(self, images, mask, **kwargs)
        return tokens if mask else tokens.detach()

    monkeypatch.setattr(vit, 'forward', stopped)
    benchmark, args = parse('pretrain')
    with pytest.raises(ValueError, match='pretrain: gradient of .* differ by'):
        benchmark.check(args, 1)


@pytest.mark.parametrize('options, message', [
    (['--device', 'cuda'], 'no GPU: use --device cpu'),
    (['--plain-precision', 'fp16'], 'fp16 is for --device cuda')])
def test_what_the_device_lacks(
        parse: Callable, monkeypatch: pytest.MonkeyPatch, options: List[str],
        message: str) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    benchmark, args = parse('pretrain', *options)
    with pytest.raises(ValueError, match=message):
        benchmark.run(args)


def test_words_end_after_so_many_letters(module: Module) -> None:
    ends = module('steps').EndedWords(torch.nn.Identity(), 3, 2)
    tokens = torch.tensor([[0., 1., 0., 9., 8.]])
    assert [ends(tokens).argmax(1).item() for _ in range(3)] == [1, 1, 3]


def test_rates_and_ratios_round_by_round(module: Module) -> None:
    """Sides take turns; the first call of each counts for nothing."""
    now, calls = [0.], []  # type: List[float], List[str]

    def side(name: str, *seconds: float) -> Any:
        left = [1000., *seconds]

        def work() -> None:
            calls.append(name)
            now[0] += left.pop(0)

        return work

    rows = module('measuring').take_turns(
        {'plain': side('plain', 1., 2., 4.),
         'ours': side('ours', 1., 0.5, 3.2)}, 10, rounds=3,
        clock=lambda: now[0])
    assert calls == ['plain', 'ours'] * 4
    assert [list(row.values()) for row in rows] == [
        ['plain', 5, 2.5, 10, 1, 1, 1],
        # Of the medians the ratio would be 2; it is the last round's.
        ['ours', 10, 3.12, 20, 1.25, 1, 4]]


@pytest.mark.skipif(sys.platform != 'linux', reason='of Linux')
def test_private_memory(module: Module) -> None:
    own = module('measuring').memory_mb
    before = own('Private_Dirty')
    # Not from the heap, which may have room left of earlier tests.
    with mmap.mmap(-1, 30 * 2**20, flags=mmap.MAP_PRIVATE) as block:
        block[::4096] = b'x' * (len(block) // 4096)  # of each page
        assert 25 < own('Private_Dirty', os.getpid()) - before < 40
        assert own('VmHWM') > own('Private_Dirty')


def test_numbers_that_differ_are_refused(module: Module) -> None:
    check = module('measuring').check_close
    ones = torch.ones(3)
    assert check({'x': ones * 200}, {'x': ones * 200.001},
                 'part') == pytest.approx(5e-6, rel=0.1)
    for factor, message in (1.0001, '0.0001,'), (float('nan'), 'nan,'):
        with pytest.raises(ValueError, match='^part: x of ours .* differ by '
                           + message):
            check({'x': ones * factor}, {'x': ones}, 'part')


def test_a_killed_child_is_reported(module: Module) -> None:
    child = module('measuring').in_a_child
    with pytest.raises(ChildProcessError, match='memory ran out'):
        child(os._exit, 9)


def here(function: Callable, *args: Any) -> Any:
    """Instead of a child, which would import everything again."""
    return function(*args)


def test_memory_of_each_case(module: Module, parse: Callable,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    memory = module('steps')
    updates: List[int] = []

    def noting(*args: Any, accumulative_counts: int, **kwargs: Any) -> Any:
        wrapper = module('models').optimizer_of(
            *args, accumulative_counts=accumulative_counts, **kwargs)
        step = wrapper.step

        def counted(**kwargs: Any) -> None:
            updates.append(accumulative_counts)
            step(**kwargs)

        wrapper.step = counted
        return wrapper

    monkeypatch.setattr(memory, 'in_a_child', here)
    monkeypatch.setattr(memory, 'optimizer_of', noting)
    benchmark, args = parse('memory', '--batch', '2', '--accumulate', '2',
                            '--precision', 'fp32')
    result = benchmark.run(args)
    assert all(row['seconds a step'] > 0 for row in result['rows'])
    # To warm up, and for the time: one update for a step.
    assert updates == [2] * 4
    lines = benchmark.report(result).splitlines()
    assert lines[0] == 'LMIM, ViT mini, 2 images a step on cpu'
    assert [line.split()[1:6:2] for line in lines[3:5]] == [
        ['fp32', '2', 'no'], ['fp32', '2', 'yes']]


def test_sets_of_three_sizes(module: Module,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    scaling = module('pipeline')
    monkeypatch.setattr(scaling, 'in_a_child', here)
    monkeypatch.setattr(scaling, 'LOADED', 8)
    tool = module('benchmark').TOOL
    result = tool.commands['scaling'].run(tool.parser().parse_args(
        ['scaling', '--records', '800', '--images', '64']))
    assert [row['records'] for row in result['rows']] == [8, 80, 800]
    for row in result['rows']:
        assert 1 < row['worker MB'] < 2000 and row['us a picture'] > 50
        assert 0 < row['first batch s'] < 60


def test_prompts_are_measured(module: Module,
                              capsys: pytest.CaptureFixture) -> None:
    assert module('benchmark').TOOL.main([
        'pool', '--arch', 'mini', '--entries', '6', '--prompts', '1', '2',
        '--rounds', '1', '--json']) == 0
    chained, alone = json.loads(capsys.readouterr().out)['rows']
    # 128 channels of 4 bytes; 7 tokens, 6 blocks, 2 times 512 in 2 bytes.
    assert chained['bytes a prompt'] == 512
    assert alone['bytes a prompt'] == 512 + 7 * 6 * 2 * 512 * 2
    assert chained['2 prompts, ms'] > 0 and alone['search, ms'] > 0
