BEGIN TRANSACTION;
CREATE TABLE claims (
	riff_id VARCHAR(24) NOT NULL, 
	server VARCHAR(32) NOT NULL, 
	until DATETIME NOT NULL, 
	owner VARCHAR(64) NOT NULL, 
	PRIMARY KEY (riff_id)
);
INSERT INTO "claims" VALUES('lymLvvxGRv6R','0123456789abcdef','2026-11-27 19:17:53.140801','one');
INSERT INTO "claims" VALUES('qe5lqqHiEIT3','0123456789abcdef','2026-11-27 19:17:53.178630','two');
INSERT INTO "claims" VALUES('64jasboNDDJh','0123456789abcdef','2026-11-27 19:17:53.197170','');
CREATE TABLE riffs (
	number INTEGER NOT NULL, 
	id VARCHAR(24) NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	verb VARCHAR(12) NOT NULL, 
	prompt VARCHAR NOT NULL, 
	settings JSON NOT NULL, 
	created DATETIME NOT NULL, 
	duration_s DOUBLE, 
	error VARCHAR, 
	n_bytes INTEGER NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "riffs" VALUES(1,'lymLvvxGRv6R','done','generate','kept é😀','{"prompt": "kept \u00e9\ud83d\ude00", "seed": 9007199254740991, "attributes": {"bpm": 120.0, "key": null}}','2026-11-27 19:16:23.140696',1.5,NULL,7);
INSERT INTO "riffs" VALUES(2,'qe5lqqHiEIT3','failed','remix','wrong','{"seed": 1}','2026-11-27 19:16:23.178522',NULL,'why',0);
INSERT INTO "riffs" VALUES(3,'64jasboNDDJh','queued','morph','under way','{"seed": 2}','2026-11-27 19:16:23.197065',NULL,NULL,0);
CREATE TABLE songs (
	number INTEGER NOT NULL, 
	id VARCHAR(24) NOT NULL, 
	"plan" VARCHAR NOT NULL, 
	created DATETIME NOT NULL, 
	riff VARCHAR(24), 
	owner VARCHAR(64) NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "songs" VALUES(1,'gbHeQ34tUrzS','title = "a plan"
','2026-11-27 19:16:23.201637','lymLvvxGRv6R','one');
CREATE INDEX ix_riffs_state ON riffs (state);
CREATE UNIQUE INDEX ix_riffs_id ON riffs (id);
CREATE INDEX ix_claims_server ON claims (server);
CREATE INDEX ix_claims_owner ON claims (owner);
CREATE UNIQUE INDEX ix_songs_id ON songs (id);
CREATE INDEX ix_songs_owner ON songs (owner);
COMMIT;
