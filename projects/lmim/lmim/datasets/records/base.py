"""What each kind of source gives."""
from abc import ABCMeta, abstractmethod
from typing import Optional


class UnreadableRecordError(RuntimeError):
    """A record that cannot be read or decoded; the message says why."""


class RecordSource(metaclass=ABCMeta):
    """Numbered records, each the bytes of one image file.

    A source holds no Python object per record, and nothing that cannot be
    sent to another process.
    """

    #: Where the records come from, as the user wrote it.
    path: str
    #: What was recognised there, in words.
    layout: str
    #: Whether the records carry labels, told from the first ones.
    labelled: bool

    @abstractmethod
    def __len__(self) -> int:
        """The number of records."""

    @abstractmethod
    def read(self, index: int) -> bytes:
        """Read the encoded image.

        Args:
            index (int): Number of the record, from 0.

        Raises:
            UnreadableRecordError: If there are no bytes to be had.
        """

    @abstractmethod
    def name(self, index: int) -> str:
        """Name of the record by which a person finds it."""

    def label(self, index: int) -> Optional[str]:
        """The text in the picture, or None where the record has none.

        Raises:
            UnreadableRecordError: If there is a label but it is no text.
        """
        return None
