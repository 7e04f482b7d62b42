"""The flow: stages run in order, skipped where nothing changed, resumed where one was killed."""
