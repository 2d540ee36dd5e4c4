-- What readers see of the event store: the views event and entity, and functions on them. Installed with schema.sql.

-- Microseconds from 2000-01-01 UTC as a timestamp, exactly: an interval times a number goes through a double, which is
-- exact for whole days and for the microseconds of one day, but not for both together.
CREATE FUNCTION backstory.to_time(us bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (timestamp '2000-01-01' + (us / 86400000000) * interval '1 day'
        + (us % 86400000000) * interval '1 microsecond') AT TIME ZONE 'UTC';

-- The id of an event: a UUID of version 5 in the namespace of backstory, of the name `machine NUL key NUL version`. SHA-1 is
-- pgcrypto's (uuid-ossp takes no NUL). Its function is bound here by identity, wherever the extension stands.
DO $do$
DECLARE
    home text := CASE WHEN has_schema_privilege(to_regnamespace('public')::oid, 'CREATE')
                      THEN 'public' ELSE 'backstory' END;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pgcrypto') THEN
        BEGIN
            EXECUTE format('CREATE EXTENSION pgcrypto SCHEMA %I', home);
        EXCEPTION WHEN duplicate_function THEN -- public has a digest() of somebody's own
            CREATE EXTENSION pgcrypto SCHEMA backstory;
        END;
    END IF;
    SELECT extnamespace::regnamespace::text INTO home FROM pg_extension WHERE extname = 'pgcrypto';
    EXECUTE format($sql$
        CREATE FUNCTION backstory.event_id(machine text, key text, version bigint) RETURNS uuid
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        BEGIN ATOMIC
            SELECT encode(set_byte(set_byte(hash, 6, get_byte(hash, 6) & 15 | 80),
                                   8, get_byte(hash, 8) & 63 | 128), 'hex')::uuid
            FROM (SELECT substring(%s.digest('\xcdb3843ece3552f0accab6d5cb516b9b'::bytea
                             || convert_to(machine, 'UTF8') || '\x00'
                             || convert_to(key, 'UTF8') || '\x00'
                             || convert_to(version::text, 'UTF8'), 'sha1'), 1, 16)) AS of (hash);
        END$sql$, home);
END
$do$;

-- One row an event. `position` orders appends; 0: an initial history, which comes before all of them. The order of one
-- entity's events is `version`.
CREATE VIEW backstory.event AS
SELECT backstory.event_id(machine.name, segment.key,
                          segment.first_version + item.place - 1)  AS id,
       machine.name                                                AS machine,
       segment.key                                                 AS entity,
       segment.first_version + item.place - 1                      AS version,
       plan.type[item.place]                                       AS type,
       item.value -> -1                                            AS data,
       plan.state[item.place]                                      AS state,
       plan.command[item.place]                                    AS command,
       backstory.to_time((item.value ->> 0)::bigint)               AS occurred_at,
       CASE WHEN jsonb_array_length(item.value) = 4 THEN
           tstzrange(backstory.to_time((item.value ->> 1)::bigint),
                     backstory.to_time((item.value ->> 2)::bigint), '[]')
       END                                                         AS occurred_between,
       coalesce(segment.recorded_at, run.recorded_at)              AS recorded_at,
       plan.basis[item.place]                                      AS basis,
       plan.event_confidence[item.place]                           AS confidence,
       plan.source[item.place]                                     AS source,
       coalesce(segment.position, 0)                               AS position,
       segment.run_id,
       plan.type_version[item.place]                               AS type_version
FROM backstory.segment
    JOIN backstory.machine USING (machine_id)
    JOIN backstory.run USING (run_id)
    JOIN backstory.plan USING (run_id, plan)
    CROSS JOIN LATERAL jsonb_array_elements(segment.data::jsonb)
        WITH ORDINALITY AS item (value, place);

-- One row an entity: where it stands, and how sure its initial history is (NULL: it has none, it was born here). The last
-- segment tells the first, and mostly it is the first as well.
CREATE VIEW backstory.entity AS
SELECT machine.name                                        AS machine,
       segment.key                                         AS entity,
       segment.first_version + cardinality(plan.state) - 1 AS version,
       plan.state[cardinality(plan.state)]                 AS state,
       coalesce(initial.confidence, own.confidence)        AS confidence,
       coalesce(initial.certain, own.certain)              AS certain,
       coalesce(initial.signature, own.signature)          AS signature
FROM backstory.segment
    JOIN backstory.machine USING (machine_id)
    JOIN backstory.plan USING (run_id, plan)
    JOIN backstory.run USING (run_id)
    LEFT JOIN LATERAL (SELECT plan.confidence, plan.certain, plan.signature
                       WHERE run.kind = 'migration'
                             OR (run.kind = 'follow' AND segment.first_version = 1)) AS own ON true
    LEFT JOIN LATERAL (
        SELECT plan.confidence, plan.certain, plan.signature
        FROM backstory.segment AS beginning
            JOIN backstory.run USING (run_id)
            JOIN backstory.plan USING (run_id, plan)
        WHERE beginning.machine_id = segment.machine_id AND beginning.key = segment.key
              AND beginning.first_version = 1 AND run.kind IN ('migration', 'follow')
    ) AS initial ON segment.first_version > 1
WHERE NOT EXISTS (SELECT FROM backstory.segment AS later
                  WHERE later.machine_id = segment.machine_id AND later.key = segment.key
                        AND later.first_version > segment.first_version);

-- Why is this entity in this state?
CREATE FUNCTION backstory.history(machine text, entity text) RETURNS SETOF backstory.event
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT event.* FROM backstory.event
    WHERE event.machine = history.machine AND event.entity = history.entity
    ORDER BY event.version;
END;

-- Where every entity of a machine stood at a time of the domain, as far as the store knew at a time of its own.
CREATE FUNCTION backstory.state_at(machine text, at timestamptz,
                                   known timestamptz DEFAULT 'infinity')
RETURNS TABLE (entity text, state text, version bigint, occurred_at timestamptz)
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT DISTINCT ON (event.entity) event.entity, event.state, event.version, event.occurred_at
    FROM backstory.event
    WHERE event.machine = state_at.machine AND event.occurred_at <= state_at.at
          AND event.recorded_at <= state_at.known
    ORDER BY event.entity, event.version DESC;
END;

-- What a run has written, as digests that anybody can work out again: each is the SHA-256 of the SHA-256 of its items, one after
-- the other. Segments fall into 256 chunks by the first byte of the MD5 of their key, in the order of keys and versions. Plans
-- come in the order of their numbers, what was put aside in that of keys (none first) and lines; bytewise all of them.
-- The run's own is the SHA-256 of all of these, as text, in the order of the chunks (see digest_all).
CREATE FUNCTION backstory.digest(run_id integer)
RETURNS TABLE (chunk text, items bigint, sha256 text)
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET extra_float_digits = 1 -- a plan has confidences
BEGIN ATOMIC
    SELECT substr(md5(segment.key), 1, 2) COLLATE "C", count(*),
           encode(sha256(string_agg(
               sha256(convert_to(segment.key || E'\x1f' || segment.first_version || E'\x1f' || segment.plan
                   || E'\x1f' || segment.data, 'UTF8')),
               ''::bytea ORDER BY segment.key, segment.first_version)), 'hex')
    FROM backstory.segment
    WHERE segment.run_id = digest.run_id
    GROUP BY 1
    UNION ALL
    SELECT 'plans', count(*),
           encode(sha256(string_agg(
               sha256(convert_to(json_build_array(plan.plan, signature, confidence, certain, type, type_version,
                   state, command, basis, event_confidence, source)::text, 'UTF8')),
               ''::bytea ORDER BY plan.plan)), 'hex')
    FROM backstory.plan
    WHERE plan.run_id = digest.run_id
    HAVING count(*) > 0
    UNION ALL
    SELECT 'quarantine', count(*),
           encode(sha256(string_agg(
               sha256(convert_to(quarantine.line, 'UTF8')),
               ''::bytea ORDER BY quarantine.key NULLS FIRST, quarantine.line)), 'hex')
    FROM backstory.quarantine
    WHERE quarantine.run_id = digest.run_id
    HAVING count(*) > 0
    ORDER BY 1;
END;

CREATE FUNCTION backstory.digest_all(run_id integer) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT encode(sha256(convert_to(coalesce(string_agg(digest.sha256, '' ORDER BY digest.chunk), ''), 'UTF8')), 'hex')
    FROM backstory.digest(digest_all.run_id);
END;
