"""How far a run has come, for what changes in its course."""
from mmengine.logging import MessageHub


def share_of_run() -> float:
    """The share of its iterations that MMEngine's loop has done, from 0 to 1.

    0 where no run is under way.
    """
    hub = MessageHub.get_current_instance()
    return hub.get_info('iter', 0) / max(hub.get_info('max_iters', 1), 1)
