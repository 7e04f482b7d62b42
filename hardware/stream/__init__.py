"""The stream model: actors that exchange words through FIFOs, their times, and the depths that cost no cycle."""
