"""A page in the browser on which a recognizer can be tried."""
