"""Settings become adapters, adapters become roles, roles become processes; the only part that knows every kind."""
