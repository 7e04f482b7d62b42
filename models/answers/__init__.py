"""What a network is asked, which answers are right, and how good its own are."""
