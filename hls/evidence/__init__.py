"""Evidence about a firmware for its certificate: its files, types, weights and top levels, named where wrong."""
