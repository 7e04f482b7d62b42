"""Latency, interval and resources of a design, with bands."""
