-- What a client does that goes from entity to entity: a transaction each, a statement an event. Written as a script for psql.
SELECT 'BEGIN;' || E'\n' || string_agg(format(
           'INSERT INTO event VALUES (%L, %s, %L, %L, %L, %L, %L, %L, %s, %L, %L);', stream, version, occurred_at, recorded_at,
           type, state, command, basis, confidence, source, data),
           E'\n' ORDER BY version) || E'\n' || 'COMMIT;'
FROM event WHERE stream IN (SELECT id::text FROM payments ORDER BY id LIMIT :entities) GROUP BY stream;
