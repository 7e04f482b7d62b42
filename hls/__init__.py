"""The firmware: hls4ml project, C simulation, certificate, estimate."""
