"""Where the files of imports come from: uploads as they arrive, and files that a worker fetches."""
