CREATE TABLE IF NOT EXISTS memory (
  name TEXT PRIMARY KEY,
  data BLOB NOT NULL
);

-- One row a pass. Times are seconds since 1970, UTC; amounts are decimal text, null where not known.
CREATE TABLE IF NOT EXISTS passes (
  at        INTEGER PRIMARY KEY,
  command   TEXT    NOT NULL,
  rotated   INTEGER NOT NULL,
  infos     INTEGER NOT NULL,
  warnings  INTEGER NOT NULL,
  criticals INTEGER NOT NULL,
  failures  INTEGER NOT NULL
);

-- One row for a key whenever its figures changed; of days that are over, the last one alone.
CREATE TABLE IF NOT EXISTS figures (
  at         INTEGER NOT NULL REFERENCES passes (at) ON DELETE CASCADE,
  key        TEXT    NOT NULL,
  generation INTEGER NOT NULL,
  spend      TEXT,
  max_budget TEXT,
  worst      TEXT    NOT NULL,
  PRIMARY KEY (at, key)
);
CREATE INDEX IF NOT EXISTS figures_by_key ON figures (key, at);

-- One row for as long as a trouble lasted: kind 'fallback' (subject: the model asked for, detail: who served),
-- 'unserved' (detail: who failed as well), 'unhealthy' (subject: the model) or 'proxy' (subject: why it was down).
CREATE TABLE IF NOT EXISTS episodes (
  kind    TEXT    NOT NULL,
  subject TEXT    NOT NULL,
  detail  TEXT    NOT NULL,
  began   INTEGER NOT NULL,
  ended   INTEGER NOT NULL, -- when it was last seen
  PRIMARY KEY (kind, subject, detail, began)
);
