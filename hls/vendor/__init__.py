"""Vendor tools: found, run, and their reports read."""
