-- The event store. Installed by the first run that writes to it, inside that run's transaction; or by hand:
--     psql -v ON_ERROR_STOP=1 -1 -f schema.sql
-- PostgreSQL 14 or later, no superuser: it takes CREATE on the database (for the schema and for pgcrypto, a trusted
-- extension). docs/store.md is the guide to it.
--
-- Readers see the views event and entity and the functions; the tables beneath may change from version to version.
--
--   machine <- machine_version <- run <- plan                    once for many entities
--      ^                           ^       ^
--      +------- segment -----------+-------+                     once for the events appended together
--
--   load <- chunk, snapshot, quarantine                          a migration under way, and what it put aside
--
-- What events have in common (type, state after, command, basis, confidence, source) stands in a plan. A segment is a plan
-- with what differs: one row holds the consecutive events of one entity that were appended together, whose versions start at
-- `first_version`, as a JSON array with one item an event of the plan:
--     [occurred_at, payload]                      the time is known
--     [occurred_at, after, before, payload]       it lies between two; null: open on that side
-- Times count microseconds from 2000-01-01 00:00 UTC, as the server counts itself.
CREATE SCHEMA backstory;

CREATE TABLE backstory.schema_version (
    version      integer     NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO backstory.schema_version (version) VALUES (1);

CREATE TABLE backstory.machine (
    machine_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text COLLATE "C" NOT NULL UNIQUE
);

-- The machine files as they were, byte by byte: a store explains itself.
CREATE TABLE backstory.machine_version (
    machine_version_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    machine_id         smallint    NOT NULL REFERENCES backstory.machine,
    sha256             text        NOT NULL,
    version            text,
    spec               text        NOT NULL,
    added_at           timestamptz NOT NULL DEFAULT now(),
    UNIQUE (machine_id, sha256)
);

-- Who wrote, when, and from what. A migration's row appears when all of it is there: plans and segments of a run that has no
-- row here yet are not seen by any reader, for the views join this table.
CREATE SEQUENCE backstory.run_id AS integer;
CREATE TABLE backstory.run (
    run_id             integer PRIMARY KEY DEFAULT nextval('backstory.run_id'),
    machine_version_id integer     NOT NULL REFERENCES backstory.machine_version,
    kind               text        NOT NULL CHECK (kind IN ('migration', 'live', 'follow')),
    recorded_at        timestamptz CHECK ((recorded_at IS NULL) = (kind <> 'migration')),
    started_at         timestamptz NOT NULL DEFAULT now(),
    finished_at        timestamptz,
    role               text        NOT NULL DEFAULT session_user,
    tool_version       text,
    mapping_sha256     text,
    source             text,
    snapshots          integer CHECK (snapshots > 0), -- moments of the source that it was read at; 1: one and the same
    histories          bigint,
    events             bigint
);
ALTER SEQUENCE backstory.run_id OWNED BY backstory.run.run_id;

-- A migration: what it was asked to do, so that the same command goes on where it was broken off, and another one is told
-- what differs. Kept when it is done.
CREATE TABLE backstory.load (
    run_id             integer     PRIMARY KEY DEFAULT nextval('backstory.run_id'),
    machine_id         smallint    NOT NULL REFERENCES backstory.machine,
    machine_version_id integer     NOT NULL REFERENCES backstory.machine_version,
    mapping_sha256     text,
    source             text        NOT NULL, -- for people; what must stay the same stands in source_identity, a JSON object
    source_identity    text        NOT NULL,
    resumable          boolean     NOT NULL, -- its chunks mean the same in a later snapshot
    recorded_at        timestamptz NOT NULL DEFAULT now(),
    started_at         timestamptz NOT NULL DEFAULT now(),
    finished_at        timestamptz,
    waiting            jsonb -- for people: why its source is waited for just now, since when, and when it is tried again
);
CREATE UNIQUE INDEX load_unfinished ON backstory.load (machine_id) WHERE finished_at IS NULL;

-- The moments of the source at which it was read: one, unless it was broken off or its snapshot grew too old.
CREATE TABLE backstory.snapshot (
    run_id   integer     NOT NULL REFERENCES backstory.load ON DELETE CASCADE,
    snapshot integer     NOT NULL,
    lsn      text, -- of the source's log; NULL: it would not say
    taken_at timestamptz NOT NULL, -- by the source's clock
    PRIMARY KEY (run_id, snapshot)
);

-- The checkpoints. Whoever loads a chunk holds the lock on its row, and says in the transaction that brings the segments
-- that it is done; so none is loaded twice, and none is done in part.
CREATE TABLE backstory.chunk (
    run_id   integer NOT NULL REFERENCES backstory.load ON DELETE CASCADE,
    chunk    integer NOT NULL,
    bounds   text    NOT NULL, -- which rows of the source, in the words of the reader (JSON)
    done_at  timestamptz,
    snapshot integer CHECK ((snapshot IS NULL) = (done_at IS NULL)),
    figures  text    CHECK ((figures IS NULL) = (done_at IS NULL)), -- what became of its rows: JSON, see run_figures.c
    histories bigint,
    events    bigint,
    PRIMARY KEY (run_id, chunk)
) WITH (fillfactor = 50);

-- Rows that have no possible history.
CREATE TABLE backstory.quarantine (
    run_id integer NOT NULL,
    chunk  integer NOT NULL,
    number bigint  NOT NULL, -- of the row in its chunk, as read
    key    text COLLATE "C",
    code   text    NOT NULL,
    line   text COLLATE "C" NOT NULL, -- as in the file: key, code, reason, repair, evidence, row
    PRIMARY KEY (run_id, chunk, number)
);

-- What was proved of a migration when it was done, as it was written down then: JSON, see docs/proof.md.
CREATE TABLE backstory.manifest (
    run_id   integer     NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now(),
    role     text        NOT NULL DEFAULT session_user,
    manifest text        NOT NULL,
    PRIMARY KEY (run_id, made_at)
);

-- The shape of histories: those with the same signature share one. The arrays have an item an event. A migrated plan's number
-- is a digest of all it says: whoever makes the same plan comes to the same number, without asking anybody. Its run may not
-- have a row in run yet, so there is no foreign key.
CREATE TABLE backstory.plan (
    run_id           integer   NOT NULL,
    plan             bigint    NOT NULL,
    signature        text      NOT NULL,
    confidence       float8    NOT NULL CHECK (confidence >= 0 AND confidence <= 1),
    certain          boolean   NOT NULL,
    type             text[]    NOT NULL CHECK (cardinality(type) > 0),
    type_version     integer[] NOT NULL CHECK (cardinality(type_version) = cardinality(type)),
    state            text[]    NOT NULL CHECK (cardinality(state) = cardinality(type)),
    command          text[]    NOT NULL CHECK (cardinality(command) = cardinality(type)),
    basis            text[]    NOT NULL CHECK (cardinality(basis) = cardinality(type)
        AND basis <@ ARRAY['recorded', 'implied', 'assumed', 'live', 'correction']),
    event_confidence float8[]  NOT NULL CHECK (cardinality(event_confidence) = cardinality(type)
        AND 0 <= ALL (event_confidence) AND 1 >= ALL (event_confidence)),
    source           text[]    NOT NULL CHECK (cardinality(source) = cardinality(type)),
    PRIMARY KEY (run_id, plan)
);

-- Eight columns, the fixed ones first and the widest foremost: then a row has no padding, and the two that a migrated
-- history leaves empty cost nothing. No foreign keys and no checks: they would cost more than the row, and only functions
-- and programs of ours write here.
--   position       the place in the order of appends; NULL for an initial history, which comes before all of them
--   recorded_at    NULL: that of the run
--   first_version  of its first event; the plan says how many there are
CREATE SEQUENCE backstory.position;
CREATE TABLE backstory.segment (
    position      bigint,
    recorded_at   timestamptz,
    plan          bigint   NOT NULL,
    first_version integer  NOT NULL,
    run_id        integer  NOT NULL,
    machine_id    smallint NOT NULL,
    key           text COLLATE "C" NOT NULL,
    data          text COLLATE "C" NOT NULL
);
ALTER SEQUENCE backstory.position OWNED BY backstory.segment.position;
CREATE INDEX segment_position ON backstory.segment (position) WHERE position IS NOT NULL;

-- The one unique index: it is the optimistic concurrency control. On the first version, for two appends that start from the
-- same version start with the same one, however many events they have. The key leads, though it is the machine that all ask for
-- first: of the leading column alone the server sorts abbreviated values, and so the index is built in 0.4 of the time.
CREATE FUNCTION backstory.index_streams() RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF to_regclass('backstory.segment_stream') IS NULL THEN
        -- Two loads may end at the same moment. Their builds would not wait for one another, and one would come too late.
        LOCK TABLE backstory.segment IN SHARE ROW EXCLUSIVE MODE;
    END IF;
    IF to_regclass('backstory.segment_stream') IS NULL THEN
        IF pg_size_bytes(current_setting('maintenance_work_mem')) < 268435456 THEN
            PERFORM set_config('maintenance_work_mem', '256MB', true); -- a sixth faster than with the usual 64 MB
        END IF;
        CREATE UNIQUE INDEX segment_stream ON backstory.segment (key, machine_id, first_version);
    END IF;
END
$$;
SELECT backstory.index_streams();

-- For a load into an empty store: drops the unique index, to be built again by index_streams() when the rows are there. Until
-- then append() refuses. False, and nothing done, when the store holds events, is being read, or belongs to somebody else;
-- true also where the index is missing already, for another load into the same store.
CREATE FUNCTION backstory.bulk_begin() RETURNS boolean
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF to_regclass('backstory.segment_stream') IS NULL THEN
        RETURN true;
    ELSIF EXISTS (SELECT FROM backstory.segment) OR NOT pg_has_role(
        (SELECT relowner FROM pg_class WHERE oid = 'backstory.segment'::regclass), 'USAGE') THEN
        RETURN false;
    END IF;
    LOCK TABLE backstory.segment IN ACCESS EXCLUSIVE MODE NOWAIT;
    IF EXISTS (SELECT FROM backstory.segment) THEN
        RAISE lock_not_available; -- somebody was faster; this also gives the lock back
    END IF;
    DROP INDEX backstory.segment_stream;
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$$;

-- Takes back a load that is not finished: nobody has seen any of it. For the owner only.
CREATE FUNCTION backstory.discard_load(run_id integer) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM backstory.load WHERE load.run_id = discard_load.run_id
                   AND finished_at IS NULL FOR UPDATE) THEN
        RAISE EXCEPTION 'there is no unfinished load %', discard_load.run_id
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    ALTER TABLE backstory.segment DISABLE TRIGGER append_only;
    ALTER TABLE backstory.plan DISABLE TRIGGER append_only;
    IF NOT EXISTS (SELECT FROM backstory.run)
       AND NOT EXISTS (SELECT FROM backstory.load WHERE load.run_id <> discard_load.run_id) THEN
        TRUNCATE backstory.segment, backstory.plan; -- there is nothing else
    ELSE
        DELETE FROM backstory.segment WHERE segment.run_id = discard_load.run_id;
        DELETE FROM backstory.plan WHERE plan.run_id = discard_load.run_id;
    END IF;
    ALTER TABLE backstory.segment ENABLE TRIGGER append_only;
    ALTER TABLE backstory.plan ENABLE TRIGGER append_only;
    DELETE FROM backstory.quarantine WHERE quarantine.run_id = discard_load.run_id;
    DELETE FROM backstory.load WHERE load.run_id = discard_load.run_id;
END
$$;

-- Takes back a load of which no chunk is done: there is no history in it, only work to do, so whoever may append may do so (see
-- rights.sql). False, and nothing done, when there is something in it, or somebody else is loading it. A worker whose session is
-- gone may still be committing at the server: its chunk's lock is waited for first.
CREATE FUNCTION backstory.withdraw_load(run_id integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    held text := (SELECT name FROM backstory.load JOIN backstory.machine USING (machine_id)
                  WHERE load.run_id = withdraw_load.run_id);
BEGIN
    IF held IS NULL OR NOT pg_try_advisory_xact_lock(hashtext('backstory'), hashtext(held)) THEN
        RETURN false;
    END IF;
    PERFORM FROM backstory.chunk WHERE chunk.run_id = withdraw_load.run_id FOR UPDATE;
    DELETE FROM backstory.load WHERE load.run_id = withdraw_load.run_id AND finished_at IS NULL
        AND NOT EXISTS (SELECT FROM backstory.chunk WHERE chunk.run_id = load.run_id AND done_at IS NOT NULL);
    IF NOT FOUND THEN
        RETURN false;
    ELSIF NOT EXISTS (SELECT FROM backstory.load WHERE finished_at IS NULL) THEN
        PERFORM backstory.index_streams(); -- when bulk_begin() has dropped it for this load
    END IF;
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION backstory.withdraw_load(integer) FROM PUBLIC;

-- Append-only, also for the owner.
CREATE FUNCTION backstory.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION 'history is append-only: % on backstory.% is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'BST02', HINT = 'Append an event that corrects the earlier one.';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON backstory.segment
    EXECUTE FUNCTION backstory.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON backstory.plan
    EXECUTE FUNCTION backstory.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON backstory.run
    EXECUTE FUNCTION backstory.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON backstory.machine_version
    EXECUTE FUNCTION backstory.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON backstory.manifest
    EXECUTE FUNCTION backstory.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON backstory.machine
    EXECUTE FUNCTION backstory.refuse_change();

-- What a run says of itself (what it was asked, from which moments, chunk by chunk, what it put aside) may change until it is
-- finished, and then never again.
CREATE FUNCTION backstory.refuse_change_when_finished() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF EXISTS (SELECT FROM backstory.run WHERE run.run_id = OLD.run_id) THEN
        RAISE EXCEPTION 'run % is finished: % on backstory.% is refused', OLD.run_id, TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'BST02', HINT = 'What a finished run says of itself stays as it is.';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['load', 'chunk', 'snapshot', 'quarantine'] LOOP
        EXECUTE format('CREATE TRIGGER finished BEFORE UPDATE OR DELETE ON backstory.%I FOR EACH ROW'
                       ' EXECUTE FUNCTION backstory.refuse_change_when_finished()', name);
        EXECUTE format('CREATE TRIGGER append_only BEFORE TRUNCATE ON backstory.%I'
                       ' EXECUTE FUNCTION backstory.refuse_change()', name);
    END LOOP;
END
$do$;
