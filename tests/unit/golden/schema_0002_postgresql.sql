-- A store of schema 0002 with a row in every table, as pg_dump --inserts writes it, without its settings.
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.aios_budget (
    account character varying(200) NOT NULL,
    scope character varying(60) NOT NULL,
    "window" double precision NOT NULL,
    state text NOT NULL,
    version integer NOT NULL
);
CREATE TABLE public.aios_cursor (
    connection character varying(100) NOT NULL,
    object character varying(100) NOT NULL,
    "position" text NOT NULL,
    "full" boolean NOT NULL,
    run text NOT NULL,
    read integer NOT NULL,
    finished_at timestamp with time zone
);
CREATE TABLE public.aios_effect (
    plan character varying(40) NOT NULL,
    line character varying(60) NOT NULL,
    run character varying(40) NOT NULL,
    state character varying(12) NOT NULL,
    outcome character varying(12),
    id character varying(255),
    reason text,
    at timestamp with time zone NOT NULL,
    connection character varying(100),
    object character varying(100),
    entity character varying(40),
    sent text,
    over text
);
CREATE TABLE public.aios_entity (
    id character varying(40) NOT NULL,
    kind character varying(20) NOT NULL,
    leaves text NOT NULL,
    provenance text NOT NULL,
    version integer NOT NULL,
    proposed boolean NOT NULL,
    gone character varying(10)
);
CREATE TABLE public.aios_exception (
    id character varying(40) NOT NULL,
    job character varying(100) NOT NULL,
    code character varying(40) NOT NULL,
    severity character varying(10) NOT NULL,
    entity character varying(40),
    leaf character varying(200),
    summary text NOT NULL,
    choices text NOT NULL,
    state character varying(12) NOT NULL,
    dedupe character varying(300) NOT NULL,
    occurrences integer NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    resolution text,
    resolved_by character varying(200),
    resolved_at timestamp with time zone
);
CREATE TABLE public.aios_job (
    name character varying(100) NOT NULL,
    state text NOT NULL
);
CREATE TABLE public.aios_journal (
    seq bigint NOT NULL,
    run character varying(40) NOT NULL,
    plan character varying(40) NOT NULL,
    line character varying(60) NOT NULL,
    at timestamp with time zone NOT NULL,
    action character varying(10) NOT NULL,
    connection character varying(100) NOT NULL,
    object character varying(100) NOT NULL,
    id character varying(255),
    entity character varying(40) NOT NULL,
    kind character varying(20) NOT NULL,
    fields text NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    undone_by character varying(40)
);
CREATE SEQUENCE public.aios_journal_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.aios_journal_seq_seq OWNED BY public.aios_journal.seq;
CREATE TABLE public.aios_key (
    kind character varying(20) NOT NULL,
    key character varying(300) NOT NULL,
    entity character varying(40) NOT NULL
);
CREATE TABLE public.aios_lease (
    name character varying(200) NOT NULL,
    owner character varying(100) NOT NULL,
    since double precision NOT NULL,
    until double precision NOT NULL
);
CREATE TABLE public.aios_quarantine (
    connection character varying(100) NOT NULL,
    object character varying(100) NOT NULL,
    place character varying(300) NOT NULL,
    id character varying(255),
    reason text NOT NULL,
    raw text NOT NULL,
    run text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.aios_record (
    connection character varying(100) NOT NULL,
    object character varying(100) NOT NULL,
    id character varying(255) NOT NULL,
    kind character varying(20) NOT NULL,
    entity character varying(40),
    linked boolean NOT NULL,
    evidence text,
    raw text NOT NULL,
    seen text NOT NULL,
    base text,
    given integer,
    version text NOT NULL,
    modified timestamp with time zone,
    gone character varying(10),
    survivor character varying(255),
    absences integer NOT NULL,
    mapping text NOT NULL,
    read_run text NOT NULL
);
CREATE TABLE public.aios_run (
    id character varying(40) NOT NULL,
    job text NOT NULL,
    kind character varying(20) NOT NULL,
    plan character varying(40),
    state character varying(20) NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    counts text NOT NULL,
    error text
);
CREATE TABLE public.aios_scan (
    run character varying(40) NOT NULL,
    connection character varying(100) NOT NULL,
    object character varying(100) NOT NULL,
    id character varying(255) NOT NULL,
    version text NOT NULL
);
CREATE TABLE public.aios_schema (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.aios_token (
    connection character varying(100) NOT NULL,
    sealed bytea NOT NULL,
    key_id character varying(20) NOT NULL,
    expires_at double precision,
    version integer NOT NULL,
    lease_until double precision NOT NULL,
    lease_by character varying(100) NOT NULL
);
ALTER TABLE ONLY public.aios_journal ALTER COLUMN seq SET DEFAULT nextval('public.aios_journal_seq_seq'::regclass);
INSERT INTO public.aios_budget VALUES ('crm:acme', '', 60, '[]', 4);
INSERT INTO public.aios_cursor VALUES ('crm', 'people', '{"at":"2026-11-21T07:50:35Z","id":"7"}', false, 'run_1', 1, '2026-11-21 07:50:35.12+00');
INSERT INTO public.aios_effect VALUES ('plan_1', '0001', 'run_2', 'settled', 'written', '7', NULL, '2026-11-21 07:50:35.12+00', 'crm', 'people', 'person_01', '{"names.family":"O''Hara"}', NULL);
INSERT INTO public.aios_entity VALUES ('person_01', 'person', '{"names.family":"O''Hara"}', '{"names.family":{"origin":"crm"}}', 2, false, NULL);
INSERT INTO public.aios_exception VALUES ('ex_1', 'crm-sheet', 'conflict', 'warning', 'person_01', 'phones.mobile', 'two numbers', '{"crm":"+15550100","sheet":"+15550101"}', 'open', 'conflict:person_01:phones.mobile', 1, '2026-11-21 07:50:35.12+00', '2026-11-21 07:50:35.12+00', NULL, NULL, NULL);
INSERT INTO public.aios_job VALUES ('crm-sheet', '{"config":"abc"}');
INSERT INTO public.aios_journal VALUES (1, 'run_2', 'plan_1', '0001', '2026-11-21 07:50:35.12+00', 'update', 'crm', 'people', '7', 'person_01', 'person', '[{"leaf":"names.family","old":null,"new":"O''Hara"}]', '{}', '{}', NULL);
INSERT INTO public.aios_key VALUES ('person', 'email:zoe@example.com', 'person_01');
INSERT INTO public.aios_lease VALUES ('job:crm-sheet', 'anna', 1.5, 121.5);
INSERT INTO public.aios_quarantine VALUES ('sheet', 'people', 'people.csv:17', NULL, 'too many cells', 'a;b;c', 'run_1', '2026-11-21 07:50:35.12+00');
INSERT INTO public.aios_record VALUES ('crm', 'people', '7', 'person', 'person_01', true, 'same e-mail', '{"id":7,"name":"Zoë O''Hara"}', '{"names.family":"O''Hara"}', '{"names.family":"O''Hara"}', 2, 'v9', '2026-11-21 07:50:35.12+00', NULL, NULL, 0, 'd1', 'run_1');
INSERT INTO public.aios_record VALUES ('sheet', 'people', 'row-3', 'person', NULL, false, NULL, '{}', '{}', NULL, NULL, '', NULL, 'absent', NULL, 2, 'd2', 'run_1');
INSERT INTO public.aios_run VALUES ('run_1', 'crm-sheet', 'read', NULL, 'done', '2026-11-21 07:50:35.12+00', '2026-11-21 07:50:37.12+00', '{"read":2}', NULL);
INSERT INTO public.aios_scan VALUES ('run_1', 'crm', 'people', '7', 'v9');
INSERT INTO public.aios_schema VALUES ('0002');
INSERT INTO public.aios_token VALUES ('crm', '\x00017365616c6564', 'k1', NULL, 3, 0, '');
SELECT pg_catalog.setval('public.aios_journal_seq_seq', 1, true);
ALTER TABLE ONLY public.aios_schema
    ADD CONSTRAINT aios_schema_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.aios_budget
    ADD CONSTRAINT pk_aios_budget PRIMARY KEY (account, scope, "window");
ALTER TABLE ONLY public.aios_cursor
    ADD CONSTRAINT pk_aios_cursor PRIMARY KEY (connection, object);
ALTER TABLE ONLY public.aios_effect
    ADD CONSTRAINT pk_aios_effect PRIMARY KEY (plan, line);
ALTER TABLE ONLY public.aios_entity
    ADD CONSTRAINT pk_aios_entity PRIMARY KEY (id);
ALTER TABLE ONLY public.aios_exception
    ADD CONSTRAINT pk_aios_exception PRIMARY KEY (id);
ALTER TABLE ONLY public.aios_job
    ADD CONSTRAINT pk_aios_job PRIMARY KEY (name);
ALTER TABLE ONLY public.aios_journal
    ADD CONSTRAINT pk_aios_journal PRIMARY KEY (seq);
ALTER TABLE ONLY public.aios_key
    ADD CONSTRAINT pk_aios_key PRIMARY KEY (kind, key, entity);
ALTER TABLE ONLY public.aios_lease
    ADD CONSTRAINT pk_aios_lease PRIMARY KEY (name);
ALTER TABLE ONLY public.aios_quarantine
    ADD CONSTRAINT pk_aios_quarantine PRIMARY KEY (connection, object, place);
ALTER TABLE ONLY public.aios_record
    ADD CONSTRAINT pk_aios_record PRIMARY KEY (connection, object, id);
ALTER TABLE ONLY public.aios_run
    ADD CONSTRAINT pk_aios_run PRIMARY KEY (id);
ALTER TABLE ONLY public.aios_scan
    ADD CONSTRAINT pk_aios_scan PRIMARY KEY (run, connection, object, id);
ALTER TABLE ONLY public.aios_token
    ADD CONSTRAINT pk_aios_token PRIMARY KEY (connection);
ALTER TABLE ONLY public.aios_exception
    ADD CONSTRAINT uq_aios_exception_dedupe UNIQUE (dedupe);
ALTER TABLE ONLY public.aios_journal
    ADD CONSTRAINT uq_aios_journal_plan_line UNIQUE (plan, line);
CREATE INDEX ix_aios_effect_entity ON public.aios_effect USING btree (entity);
CREATE INDEX ix_aios_effect_run ON public.aios_effect USING btree (run);
CREATE INDEX ix_aios_entity_kind ON public.aios_entity USING btree (kind, id);
CREATE INDEX ix_aios_exception_entity ON public.aios_exception USING btree (entity);
CREATE INDEX ix_aios_exception_state ON public.aios_exception USING btree (state);
CREATE INDEX ix_aios_journal_entity ON public.aios_journal USING btree (entity);
CREATE INDEX ix_aios_journal_run ON public.aios_journal USING btree (run);
CREATE INDEX ix_aios_key_entity ON public.aios_key USING btree (entity);
CREATE INDEX ix_aios_record_entity ON public.aios_record USING btree (entity);
CREATE INDEX ix_aios_record_unlinked ON public.aios_record USING btree (kind, linked);
CREATE INDEX ix_aios_run_started_at ON public.aios_run USING btree (started_at);
