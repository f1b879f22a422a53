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

-- One row a key and pass.
CREATE TABLE IF NOT EXISTS figures (
  at         INTEGER NOT NULL REFERENCES passes (at) ON DELETE CASCADE,
  key        TEXT    NOT NULL,
  generation INTEGER NOT NULL,
  spend      TEXT,
  max_budget TEXT,
  worst      TEXT    NOT NULL,
  PRIMARY KEY (at, key)
);
