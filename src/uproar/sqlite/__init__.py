"""One SQLite file for all that a data directory keeps, and the lock that keeps a second process out."""

from uproar.sqlite.database import Database
from uproar.sqlite.lock import DataLock, lock_directory

__all__ = ["DataLock", "Database", "lock_directory"]
