"""Speed, side by side with what a user would take instead; `make bench` or `python -m benchmarks.run` measures it."""
