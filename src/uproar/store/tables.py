"""The tables of the SQLite store."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS comment (
    stream TEXT NOT NULL, id INTEGER NOT NULL, user TEXT NOT NULL, who BLOB NOT NULL, text TEXT NOT NULL,
    parent INTEGER, parent_user TEXT, parent_text TEXT, likes INTEGER NOT NULL, removed_by TEXT NOT NULL,
    PRIMARY KEY (stream, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS comment_by_user ON comment (user, id);
CREATE INDEX IF NOT EXISTS comment_by_parent ON comment (parent, id) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS comment_by_parent_user ON comment (parent_user, parent) WHERE parent IS NOT NULL;

-- what was done to comments that are not saved yet
CREATE TABLE IF NOT EXISTS tombstone (
    stream TEXT, id INTEGER, by TEXT NOT NULL, PRIMARY KEY (stream, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS removed_user (
    stream TEXT, user TEXT, upto INTEGER NOT NULL, by TEXT NOT NULL, PRIMARY KEY (stream, user)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased (user TEXT PRIMARY KEY, upto INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased_in (user TEXT, stream TEXT, PRIMARY KEY (user, stream)) WITHOUT ROWID;

-- how many comments stand: kept by the triggers, so that nothing can forget to
CREATE TABLE IF NOT EXISTS tally (stream TEXT PRIMARY KEY, standing INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS tally_insert AFTER INSERT ON comment WHEN new.removed_by = '' BEGIN
    INSERT INTO tally VALUES (new.stream, 1) ON CONFLICT DO UPDATE SET standing = standing + 1;
END;
CREATE TRIGGER IF NOT EXISTS tally_delete AFTER DELETE ON comment WHEN old.removed_by = '' BEGIN
    UPDATE tally SET standing = standing - 1 WHERE stream = old.stream;
END;
CREATE TRIGGER IF NOT EXISTS tally_update AFTER UPDATE OF removed_by ON comment BEGIN
    UPDATE tally SET standing = standing + (new.removed_by = '') - (old.removed_by = '') WHERE stream = new.stream;
END;

CREATE TABLE IF NOT EXISTS liking (
    stream TEXT, comment INTEGER, user TEXT, PRIMARY KEY (stream, comment, user)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS liking_by_user ON liking (user);
CREATE TRIGGER IF NOT EXISTS liking_insert AFTER INSERT ON liking BEGIN
    UPDATE comment SET likes = likes + 1 WHERE stream = new.stream AND id = new.comment;
END;
CREATE TRIGGER IF NOT EXISTS liking_delete AFTER DELETE ON liking BEGIN
    UPDATE comment SET likes = likes - 1 WHERE stream = old.stream AND id = old.comment;
END;

CREATE TABLE IF NOT EXISTS reaction (
    stream TEXT, second_ms INTEGER, kind TEXT, count INTEGER NOT NULL, PRIMARY KEY (stream, second_ms, kind)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reaction_total (
    stream TEXT, kind TEXT, count INTEGER NOT NULL, PRIMARY KEY (stream, kind)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counted (
    turn INTEGER PRIMARY KEY, stream TEXT NOT NULL, gateway TEXT NOT NULL, number INTEGER NOT NULL,
    UNIQUE (stream, gateway)
);
CREATE INDEX IF NOT EXISTS counted_turn ON counted (stream, turn);

CREATE TABLE IF NOT EXISTS pin (
    place INTEGER PRIMARY KEY, stream TEXT NOT NULL, comment INTEGER NOT NULL, until_ms INTEGER,
    UNIQUE (stream, comment)
);
CREATE INDEX IF NOT EXISTS pin_end ON pin (until_ms) WHERE until_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS stream (id TEXT PRIMARY KEY, facts BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ban (
    stream TEXT, user TEXT, until_ms INTEGER, why TEXT NOT NULL, holds INTEGER NOT NULL, offset INTEGER NOT NULL,
    PRIMARY KEY (stream, user)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reputation (user TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS report (
    place INTEGER PRIMARY KEY, stream TEXT NOT NULL, comment INTEGER NOT NULL, user TEXT NOT NULL, why TEXT NOT NULL,
    at_ms INTEGER NOT NULL, UNIQUE (stream, comment, user)
);
CREATE INDEX IF NOT EXISTS report_by_user ON report (user, at_ms);
CREATE TABLE IF NOT EXISTS audit (
    place INTEGER PRIMARY KEY, stream TEXT NOT NULL, at_ms INTEGER NOT NULL, by TEXT NOT NULL, deed TEXT NOT NULL,
    target TEXT NOT NULL, why TEXT NOT NULL, UNIQUE (stream, at_ms, by, deed, target)
);
CREATE INDEX IF NOT EXISTS audit_by_whom ON audit (by, at_ms);
CREATE TABLE IF NOT EXISTS writer (
    writer INTEGER PRIMARY KEY, holder TEXT NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL
);
"""
