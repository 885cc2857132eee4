"""Pages that follow what happens: how each is read, and the stream that sends the regions which have changed."""
