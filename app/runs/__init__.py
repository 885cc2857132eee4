"""The life of one piece of asynchronous work, whichever engine it belongs to."""
