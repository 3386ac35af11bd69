-- A store of schema 0002 with a row in every table, as sqlite3's own dump writes it.
BEGIN TRANSACTION;
CREATE TABLE aios_budget (
	account VARCHAR(200) NOT NULL, 
	scope VARCHAR(60) NOT NULL, 
	window FLOAT NOT NULL, 
	state TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_aios_budget PRIMARY KEY (account, scope, window)
);
INSERT INTO "aios_budget" VALUES('crm:acme','',60.0,'[]',4);
CREATE TABLE aios_cursor (
	connection VARCHAR(100) NOT NULL, 
	object VARCHAR(100) NOT NULL, 
	position TEXT NOT NULL, 
	"full" BOOLEAN NOT NULL, 
	run TEXT NOT NULL, 
	read INTEGER NOT NULL, 
	finished_at DATETIME, 
	CONSTRAINT pk_aios_cursor PRIMARY KEY (connection, object)
);
INSERT INTO "aios_cursor" VALUES('crm','people','{"at":"2026-11-21T07:50:35Z","id":"7"}',0,'run_1',1,'2026-11-21 07:50:35.120000');
CREATE TABLE aios_effect (
	"plan" VARCHAR(40) NOT NULL, 
	line VARCHAR(60) NOT NULL, 
	run VARCHAR(40) NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	outcome VARCHAR(12), 
	id VARCHAR(255), 
	reason TEXT, 
	at DATETIME NOT NULL, connection VARCHAR(100), object VARCHAR(100), entity VARCHAR(40), sent TEXT, over TEXT, 
	CONSTRAINT pk_aios_effect PRIMARY KEY ("plan", line)
);
INSERT INTO "aios_effect" VALUES('plan_1','0001','run_2','settled','written','7',NULL,'2026-11-21 07:50:35.120000','crm','people','person_01','{"names.family":"O''Hara"}',NULL);
CREATE TABLE aios_entity (
	id VARCHAR(40) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	leaves TEXT NOT NULL, 
	provenance TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	proposed BOOLEAN NOT NULL, 
	gone VARCHAR(10), 
	CONSTRAINT pk_aios_entity PRIMARY KEY (id)
);
INSERT INTO "aios_entity" VALUES('person_01','person','{"names.family":"O''Hara"}','{"names.family":{"origin":"crm"}}',2,0,NULL);
CREATE TABLE aios_exception (
	id VARCHAR(40) NOT NULL, 
	job VARCHAR(100) NOT NULL, 
	code VARCHAR(40) NOT NULL, 
	severity VARCHAR(10) NOT NULL, 
	entity VARCHAR(40), 
	leaf VARCHAR(200), 
	summary TEXT NOT NULL, 
	choices TEXT NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	dedupe VARCHAR(300) NOT NULL, 
	occurrences INTEGER NOT NULL, 
	opened_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, 
	resolution TEXT, 
	resolved_by VARCHAR(200), 
	resolved_at DATETIME, 
	CONSTRAINT pk_aios_exception PRIMARY KEY (id), 
	CONSTRAINT uq_aios_exception_dedupe UNIQUE (dedupe)
);
INSERT INTO "aios_exception" VALUES('ex_1','crm-sheet','conflict','warning','person_01','phones.mobile','two numbers','{"crm":"+15550100","sheet":"+15550101"}','open','conflict:person_01:phones.mobile',1,'2026-11-21 07:50:35.120000','2026-11-21 07:50:35.120000',NULL,NULL,NULL);
CREATE TABLE aios_job (
	name VARCHAR(100) NOT NULL, 
	state TEXT NOT NULL, 
	CONSTRAINT pk_aios_job PRIMARY KEY (name)
);
INSERT INTO "aios_job" VALUES('crm-sheet','{"config":"abc"}');
CREATE TABLE aios_journal (
	seq INTEGER NOT NULL, 
	run VARCHAR(40) NOT NULL, 
	"plan" VARCHAR(40) NOT NULL, 
	line VARCHAR(60) NOT NULL, 
	at DATETIME NOT NULL, 
	action VARCHAR(10) NOT NULL, 
	connection VARCHAR(100) NOT NULL, 
	object VARCHAR(100) NOT NULL, 
	id VARCHAR(255), 
	entity VARCHAR(40) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	fields TEXT NOT NULL, 
	"before" TEXT NOT NULL, 
	"after" TEXT NOT NULL, 
	undone_by VARCHAR(40), 
	CONSTRAINT pk_aios_journal PRIMARY KEY (seq), 
	CONSTRAINT uq_aios_journal_plan_line UNIQUE ("plan", line)
);
INSERT INTO "aios_journal" VALUES(1,'run_2','plan_1','0001','2026-11-21 07:50:35.120000','update','crm','people','7','person_01','person','[{"leaf":"names.family","old":null,"new":"O''Hara"}]','{}','{}',NULL);
CREATE TABLE aios_key (
	kind VARCHAR(20) NOT NULL, 
	"key" VARCHAR(300) NOT NULL, 
	entity VARCHAR(40) NOT NULL, 
	CONSTRAINT pk_aios_key PRIMARY KEY (kind, "key", entity)
);
INSERT INTO "aios_key" VALUES('person','email:zoe@example.com','person_01');
CREATE TABLE aios_lease (
	name VARCHAR(200) NOT NULL, 
	owner VARCHAR(100) NOT NULL, 
	since FLOAT NOT NULL, 
	until FLOAT NOT NULL, 
	CONSTRAINT pk_aios_lease PRIMARY KEY (name)
);
INSERT INTO "aios_lease" VALUES('job:crm-sheet','anna',1.5,121.5);
CREATE TABLE aios_quarantine (
	connection VARCHAR(100) NOT NULL, 
	object VARCHAR(100) NOT NULL, 
	place VARCHAR(300) NOT NULL, 
	id VARCHAR(255), 
	reason TEXT NOT NULL, 
	raw TEXT NOT NULL, 
	run TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_aios_quarantine PRIMARY KEY (connection, object, place)
);
INSERT INTO "aios_quarantine" VALUES('sheet','people','people.csv:17',NULL,'too many cells','a;b;c','run_1','2026-11-21 07:50:35.120000');
CREATE TABLE aios_record (
	connection VARCHAR(100) NOT NULL, 
	object VARCHAR(100) NOT NULL, 
	id VARCHAR(255) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	entity VARCHAR(40), 
	linked BOOLEAN NOT NULL, 
	evidence TEXT, 
	raw TEXT NOT NULL, 
	seen TEXT NOT NULL, 
	base TEXT, 
	given INTEGER, 
	version TEXT NOT NULL, 
	modified DATETIME, 
	gone VARCHAR(10), 
	survivor VARCHAR(255), 
	absences INTEGER NOT NULL, 
	mapping TEXT NOT NULL, 
	read_run TEXT NOT NULL, 
	CONSTRAINT pk_aios_record PRIMARY KEY (connection, object, id)
);
INSERT INTO "aios_record" VALUES('crm','people','7','person','person_01',1,'same e-mail','{"id":7,"name":"Zoë O''Hara"}','{"names.family":"O''Hara"}','{"names.family":"O''Hara"}',2,'v9','2026-11-21 07:50:35.120000',NULL,NULL,0,'d1','run_1');
INSERT INTO "aios_record" VALUES('sheet','people','row-3','person',NULL,0,NULL,'{}','{}',NULL,NULL,'',NULL,'absent',NULL,2,'d2','run_1');
CREATE TABLE aios_run (
	id VARCHAR(40) NOT NULL, 
	job TEXT NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	"plan" VARCHAR(40), 
	state VARCHAR(20) NOT NULL, 
	started_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	counts TEXT NOT NULL, 
	error TEXT, 
	CONSTRAINT pk_aios_run PRIMARY KEY (id)
);
INSERT INTO "aios_run" VALUES('run_1','crm-sheet','read',NULL,'done','2026-11-21 07:50:35.120000','2026-11-21 07:50:37.120000','{"read":2}',NULL);
CREATE TABLE aios_scan (
	run VARCHAR(40) NOT NULL, 
	connection VARCHAR(100) NOT NULL, 
	object VARCHAR(100) NOT NULL, 
	id VARCHAR(255) NOT NULL, 
	version TEXT NOT NULL, 
	CONSTRAINT pk_aios_scan PRIMARY KEY (run, connection, object, id)
);
INSERT INTO "aios_scan" VALUES('run_1','crm','people','7','v9');
CREATE TABLE aios_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT aios_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "aios_schema" VALUES('0002');
CREATE TABLE aios_token (
	connection VARCHAR(100) NOT NULL, 
	sealed BLOB NOT NULL, 
	key_id VARCHAR(20) NOT NULL, 
	expires_at FLOAT, 
	version INTEGER NOT NULL, 
	lease_until FLOAT NOT NULL, 
	lease_by VARCHAR(100) NOT NULL, 
	CONSTRAINT pk_aios_token PRIMARY KEY (connection)
);
INSERT INTO "aios_token" VALUES('crm',X'00017365616C6564','k1',NULL,3,0.0,'');
CREATE INDEX ix_aios_effect_run ON aios_effect (run);
CREATE INDEX ix_aios_entity_kind ON aios_entity (kind, id);
CREATE INDEX ix_aios_exception_entity ON aios_exception (entity);
CREATE INDEX ix_aios_exception_state ON aios_exception (state);
CREATE INDEX ix_aios_journal_entity ON aios_journal (entity);
CREATE INDEX ix_aios_journal_run ON aios_journal (run);
CREATE INDEX ix_aios_key_entity ON aios_key (entity);
CREATE INDEX ix_aios_record_entity ON aios_record (entity);
CREATE INDEX ix_aios_record_unlinked ON aios_record (kind, linked);
CREATE INDEX ix_aios_run_started_at ON aios_run (started_at);
CREATE INDEX ix_aios_effect_entity ON aios_effect (entity);
COMMIT;
