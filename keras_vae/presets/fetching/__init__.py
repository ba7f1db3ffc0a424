"""Downloads weights over HTTP, verified, into a cache that processes share."""
