"""Where the time of some work goes, operation by operation."""
from typing import Callable

import torch
from torch.profiler import ProfilerActivity, profile

ROWS = 15


def profile_table(work: Callable[[], object]) -> str:
    """torch.profiler's table of one call, the costliest operations first.

    Args:
        work (Callable): Is called twice; the second call is profiled.
    """
    work()
    gpu = torch.cuda.is_available()
    activities = [ProfilerActivity.CPU]
    if gpu:
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as profiler:
        work()
    return profiler.key_averages().table(
        sort_by='self_cuda_time_total' if gpu else 'self_cpu_time_total',
        row_limit=ROWS, max_name_column_width=40)
