-- What a client does that goes from entity to entity: a transaction each, a statement an event. Written as a script for psql.
SELECT 'BEGIN;' || E'\n' || string_agg(format(
           'INSERT INTO event (id, position, stream, version, occurred_at, recorded_at, type, type_version, state, command, basis,'
           ' confidence, source, run_id, data) VALUES (%L, %s, %L, %s, %L, %L, %L, %s, %L, %L, %L, %s, %L, %s, %L);',
           id, position, stream, version, occurred_at, recorded_at, type, type_version, state, command, basis, confidence, source,
           run_id, data),
           E'\n' ORDER BY version) || E'\n' || 'COMMIT;'
FROM event WHERE stream IN (SELECT id::text FROM payments ORDER BY id LIMIT :entities) GROUP BY stream;
