"""What all firmware shares: boards and devices, the stream model, worker processes, hashes of files."""
