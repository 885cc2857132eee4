"""What all HTTP surfaces share: callers, errors, links, rate limits, and bodies that stream into the blob store."""
