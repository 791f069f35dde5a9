"""The same mathematics the slow way, to measure against.

Nothing here comes from the package but weights, by the names that they have
in a checkpoint: the reference stays what it is when the package gets faster.
"""
