"""What labels say, and whether a recognizer can learn them."""
