"""All that knows the generator: the artist that draws with it, and what is told of its models."""
