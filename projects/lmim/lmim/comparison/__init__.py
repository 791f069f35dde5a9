"""The proving ground: methods x numbers of labels x seeds, one protocol."""
