"""Estimator PUBs as sampling requests, and their outcomes as expectation values, mitigated or not."""
