"""Input vectors that every executor is compared on."""
