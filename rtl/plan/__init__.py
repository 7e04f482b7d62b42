"""What each node of a network becomes: blocks with their lanes, windows, memories and the streams between them."""
