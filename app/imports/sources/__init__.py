"""Where files come from: uploads on their way in, and files that a worker fetches as the first part of a run."""
