"""uproar: live comments and reactions on any live stream."""
