-- What `backstory follow` keeps beside the events: how far it is, and what could not become an event. Installed with
-- schema.sql.

-- One row a slot. `lsn` moves in the transaction that appends the events up to it: that is what makes each legacy
-- transaction come exactly once. NULL: the first snapshot is not complete, and nothing may be followed yet.
CREATE TABLE backstory.follow (
    slot           text COLLATE "C" PRIMARY KEY,
    machine_id     smallint    NOT NULL REFERENCES backstory.machine,
    source         text        NOT NULL,
    mapping_sha256 text        NOT NULL,
    started_at     timestamptz NOT NULL DEFAULT now(),
    lsn            pg_lsn,
    transactions   bigint      NOT NULL DEFAULT 0,
    changes        bigint      NOT NULL DEFAULT 0, -- of rows of the table
    unchanged      bigint      NOT NULL DEFAULT 0, -- of these, that say nothing to the machine
    quarantined    bigint      NOT NULL DEFAULT 0,
    events         bigint      NOT NULL DEFAULT 0,
    committed_at   timestamptz,                    -- of the last legacy transaction
    moved_at       timestamptz,
    writers        text,                           -- the last ones, as JSON: for the other half of a race, after a start
    columns        text                            -- what the source's catalog says of the mapped ones, as JSON
);

-- Each time that somebody began to follow, and from where. What is remembered of writers across a start is limited, so a
-- race with one half on either side of it may not be told.
CREATE TABLE backstory.follow_start (
    slot       text COLLATE "C" NOT NULL REFERENCES backstory.follow,
    lsn        pg_lsn      NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (slot, started_at)
);

-- Changes that could not become events: never dropped, told with both images. Until a later change brings the entity
-- back on its history (`released_lsn`), it stands in quarantine: its fold is not its row.
CREATE TABLE backstory.follow_quarantine (
    slot         text COLLATE "C" NOT NULL REFERENCES backstory.follow,
    lsn          pg_lsn  NOT NULL, -- where the change stands in the log
    place        integer NOT NULL, -- and among the changes of its transaction
    machine_id   smallint NOT NULL,
    key          text COLLATE "C" NOT NULL,
    version      bigint  NOT NULL, -- of the history that it would have continued; 0: there is none
    state        text,             -- of that
    xid          bigint  NOT NULL,
    committed_at timestamptz NOT NULL,
    operation    text    NOT NULL,
    reason       text    NOT NULL,
    message      text    NOT NULL,
    old_row      jsonb,
    new_row      jsonb,
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    released_lsn pg_lsn,
    PRIMARY KEY (slot, lsn, place, key)
);
CREATE INDEX follow_quarantine_open ON backstory.follow_quarantine (machine_id, key)
    WHERE released_lsn IS NULL;

-- Races of the old system, as far as its log shows them.
--   lost-update    proved: the transaction's own record of what it does (a ledger, a row version) does not fit the row that
--                  it found, so it had seen an earlier one, and undid what `overwrote` had done since
--   restored       it overlapped `overwrote`, and put a field back to what it was before that
--   overlapped     it had begun before `overwrote` was committed, and set the same field
--   overtook       both moved the state, and the one that began first came second
CREATE TABLE backstory.follow_race (
    slot         text COLLATE "C" NOT NULL REFERENCES backstory.follow,
    lsn          pg_lsn  NOT NULL,
    machine_id   smallint NOT NULL,
    key          text COLLATE "C" NOT NULL,
    kind         text    NOT NULL CHECK (kind IN ('lost-update', 'restored', 'overlapped', 'overtook')),
    proof        text    NOT NULL CHECK (proof IN ('ledger', 'version', 'transaction ids')),
    field        text    NOT NULL, -- '(state)'
    xid          bigint  NOT NULL,
    committed_at timestamptz NOT NULL,
    overwrote    bigint[] NOT NULL, -- transactions; empty: not known
    seen         text, -- the value that it had seen, when that is known
    found        text, -- the value that was there
    wrote        text,
    lost         numeric, -- of a ledger: what the row should have more
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX follow_race_slot ON backstory.follow_race (slot, lsn);

-- How long entities stayed in each state: from events whose times are recorded, at both ends.
CREATE FUNCTION backstory.time_in_states(machine text)
RETURNS TABLE (state text, stays bigint, shortest interval, median interval, mean interval, longest interval)
LANGUAGE sql STABLE STRICT
BEGIN ATOMIC
    SELECT stay.state, count(*), min(stay.time),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY stay.time), avg(stay.time), max(stay.time)
    FROM (SELECT moved.state, moved.occurred_between IS NULL AND lead(moved.occurred_between) OVER life IS NULL AS known,
                 lead(moved.occurred_at) OVER life - moved.occurred_at AS time
          FROM (SELECT event.entity, event.version, event.state, event.occurred_at, event.occurred_between,
                       lag(event.state) OVER (PARTITION BY event.entity ORDER BY event.version) AS before
                FROM backstory.event WHERE event.machine = time_in_states.machine) AS moved
          WHERE moved.before IS DISTINCT FROM moved.state
          WINDOW life AS (PARTITION BY moved.entity ORDER BY moved.version)) AS stay
    WHERE stay.known AND stay.time IS NOT NULL
    GROUP BY stay.state;
END;

-- Takes positions for so many segments, as runs of neighbours, and tells the time. The floor lock comes first (see
-- append.sql). For none: one run of none.
CREATE FUNCTION backstory.take_positions(wanted integer)
RETURNS TABLE (first bigint, positions bigint, recorded_us bigint)
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF to_regclass('backstory.segment_stream') IS NULL THEN
        RAISE EXCEPTION 'histories are just being loaded into this store'
            USING ERRCODE = 'BST03', HINT = 'Try again when the migration has finished.';
    END IF;
    IF wanted = 0 THEN
        RETURN QUERY SELECT 0::bigint, 0::bigint, backstory.to_us(clock_timestamp());
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(backstory.floor_key(
        (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM backstory.position)));
    RETURN QUERY
        SELECT min(taken.place), count(*), backstory.to_us(clock_timestamp())
        FROM (SELECT given.place, given.place - row_number() OVER (ORDER BY given.place) AS island
              FROM (SELECT nextval('backstory.position') AS place
                    FROM generate_series(1, wanted)) AS given) AS taken
        GROUP BY taken.island ORDER BY 1;
END
$$;
