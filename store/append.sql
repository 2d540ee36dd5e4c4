-- Live events: appended one command at a time, with the version the writer expects. Installed with schema.sql.
--
--   SELECT * FROM backstory.append('payment', 'P1', 2, 'c0ffee', '[{"type": "PaymentCaptured", "state": "captured",
--       "command": "capture", "data": {"amount": "12.30"}}]');
--
-- Three things make it safe under concurrency, and no writer waits for another but on the same entity:
--   * the unique index: of two appends that expect the same version one fails with SQLSTATE BST01;
--   * the command's id: the same command again returns its first answer and adds nothing;
--   * the floor lock: positions become visible out of order, and a reader who trusted the greatest would lose those that are
--     still under way. So before a writer takes a position it locks, shared, the last position it can see: its floor. What
--     it appends lies above. A reader may trust all positions up to the lowest floor that is locked (see horizon()).

-- The answers to commands, to be given again. May be pruned by age, with DELETE.
CREATE TABLE backstory.command (
    machine_id  smallint NOT NULL,
    key         text COLLATE "C" NOT NULL,
    command_id  text COLLATE "C" NOT NULL,
    version     bigint   NOT NULL, -- of the last event; position: of the segment
    position    bigint   NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (machine_id, key, command_id)
);

-- Live events of a version of a machine have one run, and one plan for each sequence of types, states and commands that has
-- come at once.
CREATE UNIQUE INDEX run_live ON backstory.run (machine_version_id) WHERE kind = 'live';
CREATE INDEX plan_signature ON backstory.plan (run_id, signature);

-- Makes a version of a machine known; "id" and "version" stand in its file. Doing it again changes nothing.
-- Not ON CONFLICT: that would use up a number each time, and machines have few.
CREATE FUNCTION backstory.register(spec text) RETURNS integer
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    id     smallint;
    called text := spec::jsonb->>'id';
    digest text := encode(sha256(convert_to(spec, 'UTF8')), 'hex');
    number integer;
BEGIN
    FOR attempt IN 1..2 LOOP
        SELECT known.machine_version_id INTO number
        FROM backstory.machine_version AS known JOIN backstory.machine USING (machine_id)
        WHERE machine.name = called AND known.sha256 = digest;
        IF FOUND THEN
            RETURN number;
        END IF;
        PERFORM pg_advisory_xact_lock(hashtext('backstory machine'), hashtext(called));
    END LOOP;
    SELECT machine.machine_id INTO id FROM backstory.machine WHERE machine.name = called;
    IF NOT FOUND THEN
        INSERT INTO backstory.machine (name) VALUES (called) RETURNING machine_id INTO id;
    END IF;
    INSERT INTO backstory.machine_version (machine_id, sha256, version, spec)
    VALUES (id, digest, spec::jsonb->>'version', spec) RETURNING machine_version_id INTO number;
    RETURN number;
END
$$;

-- A floor as the key of an advisory lock: the greatest 16 bits are ours, 'bs'.
CREATE FUNCTION backstory.floor_key(floor bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (25203::bigint << 48) | floor;

-- The position up to which everything is there that ever will be. Read up to it, and next time go on from it. It may step back, to
-- the old floor of a writer who was held up before his lock; his position then lies above what it was. So never go back with it.
CREATE FUNCTION backstory.horizon() RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = '' AS $$
DECLARE
    last   bigint;
    lowest bigint;
BEGIN
    -- In this order: a writer who has no lock yet when the locks are read takes a position above this one.
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO last FROM backstory.position;
    SELECT min((classid::bigint << 32 | objid::bigint) & ((1::bigint << 48) - 1)) INTO lowest
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 25203
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
    RETURN least(last, lowest);
END
$$;

-- Microseconds from 2000-01-01 UTC.
CREATE FUNCTION backstory.to_us(at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ((extract(epoch FROM at) - 946684800) * 1000000)::bigint;

-- The parts of append(), which sets the search_path for them: that costs more than what they do.

-- The run that live events of a machine's latest version belong to.
CREATE FUNCTION backstory.live_run(machine_id smallint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    latest integer;
    number integer;
BEGIN
    SELECT max(known.machine_version_id) INTO latest
    FROM backstory.machine_version AS known WHERE known.machine_id = live_run.machine_id;
    LOOP
        SELECT run.run_id INTO number
        FROM backstory.run WHERE run.machine_version_id = latest AND run.kind = 'live';
        IF FOUND THEN
            RETURN number;
        END IF;
        INSERT INTO backstory.run (machine_version_id, kind) VALUES (latest, 'live')
        ON CONFLICT DO NOTHING;
    END LOOP;
END
$$;

-- The plan of these events; made when they come in this sequence for the first time.
CREATE FUNCTION backstory.live_plan(run_id integer, events jsonb) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    shape  text;
    number integer;
BEGIN
    SELECT string_agg(concat_ws(' ', event->>'command', '->', event->>'type',
                                event->>'type_version', '->', event->>'state'), ', ' ORDER BY place)
    INTO shape FROM jsonb_array_elements(events) WITH ORDINALITY AS given (event, place);
    FOR attempt IN 1..2 LOOP
        SELECT plan.plan INTO number FROM backstory.plan
        WHERE plan.run_id = live_plan.run_id AND plan.signature = shape;
        IF FOUND THEN
            RETURN number;
        END IF;
        PERFORM pg_advisory_xact_lock(hashtext('backstory plan'), live_plan.run_id);
    END LOOP;
    SELECT 1 + coalesce(max(plan.plan), 0) INTO number
    FROM backstory.plan WHERE plan.run_id = live_plan.run_id;
    INSERT INTO backstory.plan (run_id, plan, signature, confidence, certain, type, type_version,
                                state, command, basis, event_confidence, source)
    SELECT live_plan.run_id, number, shape, 1, true,
           array_agg(event->>'type' ORDER BY place),
           array_agg(coalesce((event->>'type_version')::integer, 1) ORDER BY place),
           array_agg(event->>'state' ORDER BY place), array_agg(event->>'command' ORDER BY place),
           array_agg('live'::text), array_agg(1::float8), array_agg(NULL::text)
    FROM jsonb_array_elements(events) WITH ORDINALITY AS given (event, place);
    RETURN number;
END
$$;

-- The version an entity is at; 0: there is none.
CREATE FUNCTION backstory.version_of(machine_id smallint, key text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT segment.first_version + cardinality(plan.type) - 1
        FROM backstory.segment JOIN backstory.plan USING (run_id, plan)
        WHERE segment.machine_id = version_of.machine_id AND segment.key = version_of.key
        ORDER BY segment.first_version DESC LIMIT 1), 0)
$$;

CREATE FUNCTION backstory.check_events(events jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF jsonb_typeof(events) IS DISTINCT FROM 'array' OR events = '[]' OR EXISTS (
        SELECT FROM jsonb_array_elements(events) AS given (event)
        WHERE jsonb_typeof(event->'type') IS DISTINCT FROM 'string'
              OR jsonb_typeof(event->'state') IS DISTINCT FROM 'string'
              OR jsonb_typeof(coalesce(event->'data', '{}')) <> 'object'
              OR NOT isfinite(coalesce((event->>'occurred_at')::timestamptz, now()))) THEN
        RAISE EXCEPTION 'the events are not an array of events'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Each is an object with "type", "state" and perhaps "command" and "data".';
    END IF;
END
$$;

-- The events as a segment keeps them.
CREATE FUNCTION backstory.live_data(events jsonb, at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT '[' || string_agg(format('[%s,%s]',
        backstory.to_us(coalesce((event->>'occurred_at')::timestamptz, at)),
        coalesce(event->'data', '{}')), ',' ORDER BY place) || ']'
    FROM jsonb_array_elements(events) WITH ORDINALITY AS given (event, place)
$$;

-- Appends the events of one command, together. `expected_version`: of the entity now, 0 when there must be none; NULL: any.
-- `command_id`: NULL for a command that is never sent twice. An event: {"type", "state" (after it), "command", "data",
-- "occurred_at" (now), "type_version" (1)}; what stands in brackets, command and data may be left out.
-- Errors: BST01 when the entity is at another version, its detail says at which; BST03 while a migration fills the store.
CREATE FUNCTION backstory.append(machine text, entity text, expected_version bigint,
                                 command_id text, events jsonb)
RETURNS TABLE (version bigint, "position" bigint, repeated boolean)
LANGUAGE plpgsql SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
    id       smallint;
    run      integer;
    answer   backstory.command;
    last     bigint;
    recorded timestamptz;
    first    boolean := false; -- nobody else is known to have come with this command
BEGIN
    SELECT machine_id INTO id FROM backstory.machine WHERE name = append.machine;
    IF id IS NULL THEN
        RAISE EXCEPTION 'the store does not know machine "%"', append.machine
            USING ERRCODE = 'undefined_object', HINT = 'Make it known with backstory.register(spec).';
    END IF;
    PERFORM backstory.check_events(append.events);

    SELECT * INTO answer FROM backstory.command AS given
    WHERE given.machine_id = id AND given.key = append.entity
          AND given.command_id = append.command_id;
    IF FOUND THEN
        RETURN QUERY SELECT answer.version, answer.position, true;
        RETURN;
    END IF;

    last := backstory.version_of(id, append.entity); -- from here on nobody can drop the index
    IF to_regclass('backstory.segment_stream') IS NULL THEN
        RAISE EXCEPTION 'histories are just being loaded into this store'
            USING ERRCODE = 'BST03', HINT = 'Try again when the migration has finished.';
    END IF;
    IF last = append.expected_version OR append.expected_version IS NULL THEN
        run := backstory.live_run(id);
        answer.version := last + jsonb_array_length(append.events);
        -- The floor lock comes before the position, and goes with the end of the transaction.
        PERFORM pg_advisory_xact_lock_shared(backstory.floor_key(
            (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM backstory.position)));
        answer.position := nextval('backstory.position');
        recorded := clock_timestamp();
        -- Who comes second with the same command waits here for the first, and takes its answer;
        INSERT INTO backstory.command
        SELECT id, append.entity, append.command_id, answer.version, answer.position, recorded
        WHERE append.command_id IS NOT NULL ON CONFLICT DO NOTHING;
        first := FOUND OR append.command_id IS NULL;
    END IF;
    IF first THEN
        -- who comes second with another command waits here.
        INSERT INTO backstory.segment (position, recorded_at, first_version, run_id, plan,
                                       machine_id, key, data)
        VALUES (answer.position, recorded, last + 1, run,
                backstory.live_plan(run, append.events), id, append.entity,
                backstory.live_data(append.events, recorded))
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN QUERY SELECT answer.version, answer.position, false;
            RETURN;
        END IF;
    ELSE
        SELECT * INTO answer FROM backstory.command AS given
        WHERE given.machine_id = id AND given.key = append.entity
              AND given.command_id = append.command_id;
        IF FOUND THEN
            RETURN QUERY SELECT answer.version, answer.position, true;
            RETURN;
        END IF;
    END IF;
    last := backstory.version_of(id, append.entity);
    RAISE EXCEPTION 'entity "%" of machine "%" is at version %, not %', append.entity,
        append.machine, last, coalesce(append.expected_version::text, 'where it was')
        USING ERRCODE = 'BST01', DETAIL = last::text, HINT = 'Read it again, and decide again.';
END
$$;
