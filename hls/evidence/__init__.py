"""Evidence about a firmware for its certificate: its files, its types and weights, its top levels, named where wrong."""
