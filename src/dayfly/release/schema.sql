-- The journal: what was intended and what came of it. Only ever appended to or amended, never pruned blindly.
CREATE TABLE IF NOT EXISTS release (
  number     INTEGER PRIMARY KEY AUTOINCREMENT,
  app        TEXT NOT NULL,
  commit_id  TEXT NOT NULL,
  subject    TEXT NOT NULL,
  who        TEXT NOT NULL,
  outcome    TEXT NOT NULL,
  reason     TEXT NOT NULL DEFAULT '',
  started    REAL NOT NULL,
  finished   REAL,
  left_at    REAL,
  warm_until REAL,
  image      TEXT NOT NULL DEFAULT '',
  receipt    TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS release_of_app ON release (app, number);
CREATE TABLE IF NOT EXISTS event (
  number  INTEGER PRIMARY KEY AUTOINCREMENT,
  time    REAL NOT NULL,
  release INTEGER,
  app     TEXT,
  kind    TEXT NOT NULL,
  data    TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_of_release ON event (release, number);
CREATE INDEX IF NOT EXISTS event_of_kind ON event (app, kind, number);
CREATE TABLE IF NOT EXISTS machine (
  name     TEXT PRIMARY KEY,
  app      TEXT NOT NULL,
  release  INTEGER NOT NULL,
  process  TEXT NOT NULL,
  place    INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  launched REAL NOT NULL,
  removed  REAL,
  status   INTEGER,
  reason   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS machine_of_release ON machine (release, process, place);
CREATE TABLE IF NOT EXISTS tick (
  app      TEXT NOT NULL,
  job      TEXT NOT NULL,
  due      REAL NOT NULL,
  PRIMARY KEY (app, job, due)
);
