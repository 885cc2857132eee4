"""The shapes of our own surface: lists with an opaque cursor, camel case, times in UTC."""
