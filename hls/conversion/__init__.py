"""From the integer network to a complete hls4ml project with every type stated."""
