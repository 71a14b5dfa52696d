"""One small application per framework: bare, with an empty pass-through, with the middleware."""
