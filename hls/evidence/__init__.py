"""Evidence about a firmware for its certificate: its files, its types and weights, its top levels.

Where they differ from what was written or from the network, it is named.
"""
