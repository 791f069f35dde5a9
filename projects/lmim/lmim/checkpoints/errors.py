"""What goes wrong with checkpoints."""


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be read or does not fit.

    The message names the file, what is wrong with it and what to do.
    """
