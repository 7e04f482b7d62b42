"""When each word moves, to the cycle: every block as a process that runs on as far as its neighbours let it."""
