"""From a circuit to a plan: lowered to three kinds of gates, arranged in layers, multiplied where that pays."""
