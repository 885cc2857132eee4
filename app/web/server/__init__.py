"""What a client may do to the HTTP server before any route is reached: sizes, times and numbers of connections."""
