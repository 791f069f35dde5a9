"""What goes wrong with exporting."""


class ExportError(ValueError):
    """Something that cannot be exported, or not be checked.

    The message says what, and what to do.
    """
