SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.claims (
    riff_id character varying(24) NOT NULL,
    server character varying(32) NOT NULL,
    until timestamp without time zone NOT NULL,
    owner character varying(64) NOT NULL
);
CREATE TABLE public.riffs (
    number integer NOT NULL,
    id character varying(24) NOT NULL,
    state character varying(12) NOT NULL,
    verb character varying(12) NOT NULL,
    prompt character varying NOT NULL,
    settings json NOT NULL,
    created timestamp without time zone NOT NULL,
    duration_s double precision,
    error character varying,
    n_bytes integer NOT NULL
);
CREATE SEQUENCE public.riffs_number_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.riffs_number_seq OWNED BY public.riffs.number;
CREATE TABLE public.songs (
    number integer NOT NULL,
    id character varying(24) NOT NULL,
    plan character varying NOT NULL,
    created timestamp without time zone NOT NULL,
    riff character varying(24),
    owner character varying(64) NOT NULL
);
CREATE SEQUENCE public.songs_number_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.songs_number_seq OWNED BY public.songs.number;
ALTER TABLE ONLY public.riffs ALTER COLUMN number SET DEFAULT nextval('public.riffs_number_seq'::regclass);
ALTER TABLE ONLY public.songs ALTER COLUMN number SET DEFAULT nextval('public.songs_number_seq'::regclass);
INSERT INTO public.claims VALUES ('hhZRzzcXMAmI', '0123456789abcdef', '2026-11-27 19:17:55.842541', 'one');
INSERT INTO public.claims VALUES ('Gwx-h_abJKEn', '0123456789abcdef', '2026-11-27 19:17:55.878449', 'two');
INSERT INTO public.claims VALUES ('hu6RZynwQ5GP', '0123456789abcdef', '2026-11-27 19:17:55.884917', '');
INSERT INTO public.riffs VALUES (1, 'hhZRzzcXMAmI', 'done', 'generate', 'kept é😀', '{"prompt": "kept \u00e9\ud83d\ude00", "seed": 9007199254740991, "attributes": {"bpm": 120.0, "key": null}}', '2026-11-27 19:16:25.842381', 1.5, NULL, 7);
INSERT INTO public.riffs VALUES (2, 'Gwx-h_abJKEn', 'failed', 'remix', 'wrong', '{"seed": 1}', '2026-11-27 19:16:25.878321', NULL, 'why', 0);
INSERT INTO public.riffs VALUES (3, 'hu6RZynwQ5GP', 'queued', 'morph', 'under way', '{"seed": 2}', '2026-11-27 19:16:25.884842', NULL, NULL, 0);
INSERT INTO public.songs VALUES (1, 'Ehl61gKwqwIf', 'title = "a plan"
', '2026-11-27 19:16:25.890637', 'hhZRzzcXMAmI', 'one');
SELECT pg_catalog.setval('public.riffs_number_seq', 3, true);
SELECT pg_catalog.setval('public.songs_number_seq', 1, true);
ALTER TABLE ONLY public.claims
    ADD CONSTRAINT claims_pkey PRIMARY KEY (riff_id);
ALTER TABLE ONLY public.riffs
    ADD CONSTRAINT riffs_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.songs
    ADD CONSTRAINT songs_pkey PRIMARY KEY (number);
CREATE INDEX ix_claims_owner ON public.claims USING btree (owner);
CREATE INDEX ix_claims_server ON public.claims USING btree (server);
CREATE UNIQUE INDEX ix_riffs_id ON public.riffs USING btree (id);
CREATE INDEX ix_riffs_state ON public.riffs USING btree (state);
CREATE UNIQUE INDEX ix_songs_id ON public.songs USING btree (id);
CREATE INDEX ix_songs_owner ON public.songs USING btree (owner);
