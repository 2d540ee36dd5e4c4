#!/bin/sh
# Events of older versions: generated SQL reads them as the interpreter does, in its views, its fold and its read model.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"

machine=$SOURCE_DIR/tests/eventgen/versions.fsm.json
# As docs/store.md says.
command=$(grep '^cat store/' "$SOURCE_DIR/docs/store.md")
(cd "$SOURCE_DIR" && eval "$command") >install.txt 2>&1 || { cat install.txt; fail 'no store'; }
psql -Xq -v ON_ERROR_STOP=1 -v spec="$(cat "$machine")" >append.txt <<'SQL' || { cat append.txt; fail 'cannot append'; }
SELECT backstory.register(:'spec');
SELECT backstory.append('parcel', '1', 0, NULL, '[
    {"type": "ParcelCreated", "state": "packed", "command": "create", "data": {}},
    {"type": "ParcelWeighed", "state": "packed", "command": "weigh", "data": {"grams": 12345, "express": true, "note": "-"}},
    {"type": "ParcelSent", "state": "sent", "command": "send", "data": {}}]');
SELECT backstory.append('parcel', '2', 0, NULL, '[
    {"type": "ParcelCreated", "state": "packed", "command": "create", "data": {}},
    {"type": "ParcelWeighed", "type_version": 2, "state": "packed", "command": "weigh",
     "data": {"kilos": "7.500", "express": false, "note": "a long long note"}}]');
SELECT backstory.append('parcel', '3', 0, NULL, '[
    {"type": "ParcelCreated", "state": "packed", "command": "create", "data": {}},
    {"type": "ParcelWeighed", "type_version": 3, "state": "packed", "command": "weigh",
     "data": {"weight": "1.250", "weighed_at": "2024-02-29T12:00:00Z", "express": true, "note": "fragile",
              "scale_id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}},
    {"type": "ParcelWeighed", "type_version": 4, "state": "packed", "command": "weigh",
     "data": {"weight": "1.300", "weighed_at": "2024-02-29T13:00:00Z", "speed": "slow", "tries": 2}}]');
SELECT backstory.append('parcel', '4', 0, NULL, '[
    {"type": "ParcelCreated", "state": "packed", "command": "create", "data": {}},
    {"type": "ParcelWeighed", "type_version": 9, "state": "packed", "command": "weigh", "data": {}}]');
SQL
"$BACKSTORY" compile "$machine" -o . --emit sql --quiet
psql -Xq -v ON_ERROR_STOP=1 -1 -f parcel.sql

# What the note of entity 2 is too long for, both say: a refusal, never a cut.
"$BACKSTORY" history "$machine" 2 --from "dbname=$PGDATABASE" >out.txt 2>&1 && fail 'the interpreter reads what does not fit'
for query in "SELECT parcel.state_at('2', 'infinity')" "SELECT note FROM parcel.parcel_weighed WHERE entity = '2'"; do
    psql -Xqv VERBOSITY=sqlstate -c "$query" >out.txt 2>&1 && fail "not refused: $query"
    grep -q 22001 out.txt || { cat out.txt; fail "refused otherwise: $query"; }
done
psql -Xqv VERBOSITY=sqlstate -c "SELECT parcel.state_at('4', 'infinity')" >out.txt 2>&1 && fail 'an unknown version is read'
grep -q 22000 out.txt || { cat out.txt; fail 'an unknown version is refused otherwise'; }

compared=0
for key in 1 3; do
    "$BACKSTORY" history "$machine" $key --from "dbname=$PGDATABASE" --format json >history.json
    psql -XAtq -v history="$(cat history.json)" -v key=$key >answer.txt <<'SQL'
SELECT now.weight::text = fields->>'weight' AND now.speed IS NOT DISTINCT FROM fields->>'speed'
   AND now.note IS NOT DISTINCT FROM fields->>'note' AND now.state = :'history'::jsonb->>'state'
FROM parcel.current AS now, (SELECT :'history'::jsonb->'fields' AS fields) AS history WHERE now.entity = :'key'
SQL
    [ "$(cat answer.txt)" = t ] || { cat history.json answer.txt; fail "entity $key is another one"; }
    compared=$((compared + 1))
done
[ "$compared" = 2 ] || fail 'too few were compared'

psql -XAtq >weighed.txt <<'SQL'
SET timezone = 'UTC';
SELECT entity, version, weight, weighed_at, speed, note, tries, scale_id FROM parcel.parcel_weighed WHERE entity IN ('1', '3')
ORDER BY entity, version
SQL
diff - weighed.txt <<'END' || fail 'the view has other events'
1|2|12.345|2020-01-01 00:00:00+00|fast||1|
3|2|1.250|2024-02-29 12:00:00+00|fast|fragile|1|6ba7b810-9dad-11d1-80b4-00c04fd430c8
3|3|1.300|2024-02-29 13:00:00+00|slow||2|
END

# The relay of docs/generated-messages.md gives CloudEvents, with the version of the payload where it is not the first.
sed -n '/^SELECT jsonb_strip_nulls/,/;$/p' "$SOURCE_DIR/docs/generated-messages.md" >relay.sql
psql -XAtq -v ON_ERROR_STOP=1 -v last=0 -v h=1000 -f relay.sql >relay.jsonl || fail 'the relay does not run'
psql -XAtq -v lines="$(sed '$!s/$/,/' relay.jsonl)" >answer.txt <<'SQL'
SELECT count(*) = (SELECT count(*) FROM backstory.event) AND bool_and(e->>'specversion' = '1.0' AND e ? 'data')
   AND count(*) FILTER (WHERE e->>'typeversion' = '3') = 1 AND count(*) FILTER (WHERE e ? 'typeversion') = 4
FROM jsonb_array_elements(('[' || :'lines' || ']')::jsonb) AS e
SQL
[ "$(cat answer.txt)" = t ] || { cat relay.jsonl; fail 'the relay gives something else'; }
