"""The streams of a design as the stream model's actors, and the depths that its FIFOs get."""
