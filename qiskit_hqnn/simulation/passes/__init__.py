"""A plan carried out on batches: states forward, gradients backward, in own torch operators."""
