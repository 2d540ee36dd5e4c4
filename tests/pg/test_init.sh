#!/bin/sh
# Drafts of the tables that real systems have: each passes `check`, `plan` runs on it, and nearly every row gets a history.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
source=dbname=$PGDATABASE

# draft NAME TABLE SHARE [OPTION...]: drafts, checks, plans; at least SHARE rows of 1,000 get a history.
draft() {
    name=$1
    table=$2
    share=$3
    shift 3
    "$BACKSTORY" init --from "$source" --table "$table" -o "$name" "$@" >"$name.txt" || fail "no draft of $table"
    machine=$(ls "$name"/*.fsm.json)
    mapping=$(ls "$name"/*.legacy.json)
    "$BACKSTORY" check "$machine" "$mapping" >"$name.check" || { cat "$name.check"; fail "the draft of $table is not accepted"; }
    "$BACKSTORY" plan "$mapping" --from "$source" --quiet >"$name.plan" || { cat "$name.plan"; fail "plan fails on $table"; }
    awk -v share="$share" '/ rows read =/ { gsub(",", ""); read = $1 } / migrated \+/ { gsub(",", ""); migrated = $1 }
        / out of scope/ { gsub(",", ""); out = $1 } END { exit !(read > 0 && migrated * 1000 >= (read - out) * share) }' \
        "$name.plan" || { cat "$name.plan"; fail "too few rows of $table get a history"; }
}
# step "FROM > TO" COMMAND...: the last draft has it, seen in the data.
step() {
    grep -qE "^ *[0-9,]+ +$1 +$2\$" "$name.txt" || { cat "$name.txt"; fail "$name lacks $1 ($2)"; }
}
no_step() {
    ! grep -qE " $1 " "$name.txt" || { cat "$name.txt"; fail "$name should not have $1"; }
}
states() {
    grep -qF -- "$1" "$mapping" || { cat "$mapping"; fail "the mapping of $name lacks $1"; }
}
says() {
    grep -qF -- "$1" "$machine" "$mapping" || { cat "$machine" "$mapping"; fail "the draft of $name does not say $1"; }
}

# walk(i): the i-th entity's states, one of those given; at(i, k): when it came to the k-th.
psql -Xq <<'EOF2'
CREATE FUNCTION pick(i int, walks text[]) RETURNS text[] IMMUTABLE LANGUAGE sql AS
    $$ SELECT string_to_array(walks[1 + ('x0' || substr(md5(i::text), 1, 7))::bit(32)::int % cardinality(walks)], ' ') $$;
CREATE FUNCTION at(i int, k int) RETURNS timestamp IMMUTABLE LANGUAGE sql AS
    $$ SELECT timestamp '2024-01-01' + i * interval '1 hour' + k * interval '7 minutes' $$;
-- When the walk came to one of the states, last.
CREATE FUNCTION came(i int, walk text[], VARIADIC states text[]) RETURNS timestamp IMMUTABLE LANGUAGE sql AS
    $$ SELECT max(at(i, k::int)) FROM unnest(walk) WITH ORDINALITY w (s, k) WHERE s = ANY (states) $$;

-- Solidus: varchar codes, naive timestamps, almost no evidence; an order has three state columns and one flag.
CREATE TABLE spree_payments (id serial PRIMARY KEY, amount numeric(10,2) DEFAULT 0.0 NOT NULL, order_id int, number varchar,
    state varchar, created_at timestamp(6), updated_at timestamp(6));
INSERT INTO spree_payments (amount, order_id, number, state, created_at, updated_at)
SELECT i % 100, i, 'P' || i, w[cardinality(w)], at(i, 1), at(i, 9)
FROM generate_series(1, 500) i, pick(i, '{checkout,checkout processing,checkout processing failed,checkout pending completed,
checkout processing pending void,checkout invalid}') w;

CREATE TABLE spree_orders (id serial PRIMARY KEY, number varchar(32), item_total numeric(10,2) DEFAULT 0.0 NOT NULL,
    state varchar, payment_state varchar, shipment_state varchar, email varchar, created_at timestamp(6), updated_at timestamp(6),
    completed_at timestamp, canceled_at timestamp, approved_at timestamp);
INSERT INTO spree_orders
SELECT i, 'R' || i, i, w[cardinality(w)], 'paid', CASE i % 2 WHEN 0 THEN 'ready' ELSE 'pending' END, 'x@example.org', at(i, 1),
    at(i, 20), came(i, w, 'complete'), came(i, w, 'canceled'), CASE WHEN i % 3 = 0 THEN at(i, 15) END
FROM generate_series(1, 900) i, pick(i, '{cart,cart address,cart address delivery,cart address delivery payment,
cart address delivery payment confirm,cart address delivery payment confirm complete,
cart address delivery payment confirm complete,cart address delivery payment confirm complete canceled,
cart address delivery payment confirm complete awaiting_return returned}') w;

CREATE TABLE spree_shipments (id serial PRIMARY KEY, state varchar DEFAULT 'pending', cost numeric(10,2), shipped_at timestamp,
    created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
INSERT INTO spree_shipments
SELECT i, w[cardinality(w)], 5, came(i, w, 'shipped'), at(i, 1), at(i, 9)
FROM generate_series(1, 300) i, pick(i, '{pending,pending ready,pending ready shipped,pending ready shipped,pending canceled}') w;

-- An item that comes back has two states at once, and next to no times.
CREATE TABLE spree_return_items (id serial PRIMARY KEY, return_authorization_id int, inventory_unit_id int, amount numeric(12,4) DEFAULT 0.0
    NOT NULL, reception_status varchar, acceptance_status varchar, created_at timestamp(6), updated_at timestamp(6));
INSERT INTO spree_return_items
SELECT i, i, i, 5, r[cardinality(r)], a[cardinality(a)], at(i, 1), at(i, 9)
FROM generate_series(1, 400) i, pick(i, '{awaiting,awaiting received,awaiting in_transit,awaiting cancelled,awaiting lost_in_transit,
awaiting shipped_wrong_item,awaiting given_to_customer,awaiting expired}') r,
    pick(i + 1000, '{pending,pending accepted,pending manual_intervention_required,pending rejected}') a;
-- One log for every entity that has a state, by its name and its type.
CREATE TABLE spree_state_changes (id serial PRIMARY KEY, name varchar, previous_state varchar, stateful_id int, user_id int,
    stateful_type varchar, next_state varchar, created_at timestamp(6), updated_at timestamp(6));

-- OFBiz: prefixed codes, a lookup table that serves every entity, a status history.
CREATE TABLE status_item (status_id varchar(20) PRIMARY KEY, status_type_id varchar(20), sequence_id varchar(20), description varchar(255));
INSERT INTO status_item SELECT 'ORDER_' || upper(s), 'ORDER_STATUS', n, initcap(s)
FROM unnest('{created,processing,approved,sent,held,completed,rejected,cancelled}'::text[]) WITH ORDINALITY u (s, n);
INSERT INTO status_item SELECT 'INVOICE_' || upper(replace(s, ' ', '_')), 'INVOICE_STATUS', n, initcap(s)
FROM unnest('{in process,approved,sent,received,ready,paid,write off,cancelled}'::text[]) WITH ORDINALITY u (s, n);
INSERT INTO status_item SELECT 'SHIPMENT_' || n, 'SHIPMENT_STATUS', n, 'Shipment ' || n FROM generate_series(1, 60) n;
CREATE TABLE order_header (order_id varchar(20) PRIMARY KEY, order_date timestamptz, entry_date timestamptz, status_id varchar(20)
    REFERENCES status_item, currency_uom varchar(20), grand_total numeric(18,2), last_updated_stamp timestamptz);
CREATE TABLE order_status (order_status_id varchar(20) PRIMARY KEY, status_id varchar(20), order_id varchar(20) REFERENCES order_header,
    status_datetime timestamptz, status_user_login varchar(250));
WITH walks AS (SELECT i, pick(i, '{CREATED,CREATED PROCESSING,CREATED PROCESSING APPROVED SENT COMPLETED,CREATED APPROVED COMPLETED,
CREATED PROCESSING HELD PROCESSING APPROVED,CREATED CANCELLED,CREATED REJECTED}') AS w FROM generate_series(1, 400) i), o AS (
    INSERT INTO order_header SELECT 'O' || i, at(i, 1) AT TIME ZONE 'UTC', at(i, 1) AT TIME ZONE 'UTC', 'ORDER_' || w[cardinality(w)],
        'EUR', 10, at(i, 20) AT TIME ZONE 'UTC' FROM walks)
INSERT INTO order_status SELECT 'S' || i || '-' || k, 'ORDER_' || s, 'O' || i, at(i, k::int) AT TIME ZONE 'UTC', 'admin'
FROM walks, unnest(w) WITH ORDINALITY u (s, k);
CREATE TABLE invoice (invoice_id varchar(20) PRIMARY KEY, status_id varchar(20) REFERENCES status_item, invoice_date timestamptz NOT NULL,
    due_date timestamptz, paid_date timestamptz, description varchar(255));
INSERT INTO invoice SELECT 'I' || i, 'INVOICE_' || w[cardinality(w)], at(i, 1) AT TIME ZONE 'UTC', at(i + 700, 1) AT TIME ZONE 'UTC',
    came(i, w, 'PAID') AT TIME ZONE 'UTC', NULL
FROM generate_series(1, 400) i, pick(i, '{IN_PROCESS,IN_PROCESS APPROVED,IN_PROCESS APPROVED SENT,IN_PROCESS APPROVED SENT PAID,
IN_PROCESS READY PAID,IN_PROCESS CANCELLED}') w;

INSERT INTO status_item SELECT t || '_' || s, t || '_STATUS', n, initcap(s)
FROM (VALUES ('ITEM', '{CREATED,APPROVED,COMPLETED,REJECTED,CANCELLED}'::text[]), ('QUO', '{CREATED,APPROVED,ORDERED,REJECTED}'),
    ('RETURN', '{REQUESTED,ACCEPTED,RECEIVED,COMPLETED,MAN_REFUND,CANCELLED}'),
    ('SHIPMENT', '{INPUT,SCHEDULED,PICKED,PACKED,SHIPPED,DELIVERED,CANCELLED}'),
    ('IXF', '{REQUESTED,SCHEDULED,EN_ROUTE,COMPLETE,CANCELLED}')) v (t, states), unnest(states) WITH ORDINALITY u (s, n);
-- Tables that know when a row was made and touched, and no more; the order of one is in a history of its own.
CREATE TABLE order_item (order_id varchar(20), order_item_seq_id varchar(20), status_id varchar(20) REFERENCES status_item,
    quantity numeric(18,6), unit_price numeric(18,3), created_stamp timestamptz, last_updated_stamp timestamptz,
    PRIMARY KEY (order_id, order_item_seq_id));
INSERT INTO order_item SELECT 'O' || i, '0000' || i % 3, 'ITEM_' || w[cardinality(w)], 1, 5, at(i, 1) AT TIME ZONE 'UTC',
    at(i, 9) AT TIME ZONE 'UTC' FROM generate_series(1, 300) i,
    pick(i, '{CREATED,CREATED APPROVED,CREATED APPROVED COMPLETED,CREATED REJECTED,CREATED APPROVED CANCELLED}') w;
CREATE TABLE quote (quote_id varchar(20) PRIMARY KEY, status_id varchar(20) REFERENCES status_item, issue_date timestamptz,
    valid_thru_date timestamptz, created_stamp timestamptz, last_updated_stamp timestamptz);
INSERT INTO quote SELECT 'Q' || i, 'QUO_' || w[cardinality(w)], at(i, 1) AT TIME ZONE 'UTC', at(i + 700, 1) AT TIME ZONE 'UTC',
    at(i, 1) AT TIME ZONE 'UTC', at(i, 9) AT TIME ZONE 'UTC' FROM generate_series(1, 300) i,
    pick(i, '{CREATED,CREATED APPROVED,CREATED APPROVED ORDERED,CREATED REJECTED}') w;
CREATE TABLE return_header (return_id varchar(20) PRIMARY KEY, status_id varchar(20) REFERENCES status_item, entry_date timestamptz,
    needs_inventory_receive char(1));
CREATE TABLE return_status (return_status_id varchar(20) PRIMARY KEY, status_id varchar(20), return_id varchar(20) REFERENCES return_header,
    return_item_seq_id varchar(20), status_datetime timestamptz);
WITH walks AS (SELECT i, pick(i, '{REQUESTED,REQUESTED ACCEPTED,REQUESTED ACCEPTED RECEIVED,REQUESTED ACCEPTED RECEIVED COMPLETED,
REQUESTED ACCEPTED RECEIVED MAN_REFUND,REQUESTED CANCELLED}') AS w FROM generate_series(1, 300) i), o AS (
    INSERT INTO return_header SELECT 'R' || i, 'RETURN_' || w[cardinality(w)], at(i, 1) AT TIME ZONE 'UTC', 'Y' FROM walks)
INSERT INTO return_status SELECT 'S' || i || '-' || k, 'RETURN_' || s, 'R' || i, NULL, at(i, k::int) AT TIME ZONE 'UTC'
FROM walks, unnest(w) WITH ORDINALITY u (s, k);
CREATE TABLE shipment (shipment_id varchar(20) PRIMARY KEY, status_id varchar(20) REFERENCES status_item, estimated_ship_date timestamptz,
    estimated_arrival_date timestamptz, created_date timestamptz, last_modified_date timestamptz);
CREATE TABLE shipment_status (shipment_id varchar(20) REFERENCES shipment, status_id varchar(20), status_date timestamptz,
    PRIMARY KEY (shipment_id, status_id));
WITH walks AS (SELECT i, pick(i, '{INPUT,INPUT SCHEDULED PICKED,INPUT SCHEDULED PICKED PACKED,INPUT PICKED PACKED SHIPPED,
INPUT SCHEDULED PICKED PACKED SHIPPED DELIVERED,INPUT CANCELLED}') AS w FROM generate_series(1, 300) i), o AS (
    INSERT INTO shipment SELECT 'H' || i, 'SHIPMENT_' || w[cardinality(w)], at(i + 20, 1) AT TIME ZONE 'UTC',
        at(i + 40, 1) AT TIME ZONE 'UTC', at(i, 1) AT TIME ZONE 'UTC', at(i, 20) AT TIME ZONE 'UTC' FROM walks)
INSERT INTO shipment_status SELECT 'H' || i, 'SHIPMENT_' || s, at(i, k::int) AT TIME ZONE 'UTC'
FROM walks, unnest(w) WITH ORDINALITY u (s, k);
CREATE TABLE inventory_transfer (inventory_transfer_id varchar(20) PRIMARY KEY, status_id varchar(20) REFERENCES status_item,
    send_date timestamptz, receive_date timestamptz, created_stamp timestamptz, last_updated_stamp timestamptz);
INSERT INTO inventory_transfer SELECT 'X' || i, 'IXF_' || w[cardinality(w)], came(i, w, 'EN_ROUTE') AT TIME ZONE 'UTC',
    came(i, w, 'COMPLETE') AT TIME ZONE 'UTC', at(i, 1) AT TIME ZONE 'UTC', at(i, 9) AT TIME ZONE 'UTC' FROM generate_series(1, 300) i,
    pick(i, '{REQUESTED,REQUESTED SCHEDULED,REQUESTED SCHEDULED EN_ROUTE,REQUESTED SCHEDULED EN_ROUTE COMPLETE,REQUESTED CANCELLED}') w;

-- Medusa: a table whose name has to be quoted, a type of its own, a soft delete.
CREATE TYPE order_status_enum AS ENUM ('pending', 'completed', 'draft', 'archived', 'canceled', 'requires_action');
CREATE TABLE "order" (id text PRIMARY KEY, status order_status_enum NOT NULL DEFAULT 'pending', created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(), canceled_at timestamptz, deleted_at timestamptz);
INSERT INTO "order" SELECT 'order_' || i, w[cardinality(w)]::order_status_enum, at(i, 1) AT TIME ZONE 'UTC', at(i, 9) AT TIME ZONE 'UTC',
    came(i, w, 'canceled') AT TIME ZONE 'UTC', CASE WHEN i % 40 = 0 THEN at(i, 30) AT TIME ZONE 'UTC' END
FROM generate_series(1, 300) i, pick(i, '{pending,pending completed,pending completed archived,pending canceled,draft,draft pending}') w;

-- GitLab: one column for three states; a state that is left and entered again.
CREATE TABLE ci_builds (id bigserial PRIMARY KEY, status varchar, created_at timestamp, queued_at timestamp, started_at timestamp,
    finished_at timestamp, updated_at timestamp, name varchar, allow_failure boolean DEFAULT false NOT NULL, lock_version int);
INSERT INTO ci_builds
SELECT i, w[cardinality(w)], at(i, 1), came(i, w, 'pending'), came(i, w, 'running'), came(i, w, 'success', 'failed', 'canceled'), at(i, 9),
    'job', i % 9 = 0, cardinality(w) - 1
FROM generate_series(1, 700) i, pick(i, '{created,created pending,created pending running,created pending running success,
created pending running success,created pending running failed,created pending canceled,created pending running canceled,
created skipped,created manual}') w;

-- Temporal: integer codes, a composite key, times in UTC that do not say so, one column for six states.
CREATE TABLE executions_visibility (namespace_id char(64) NOT NULL, run_id char(64) NOT NULL, start_time timestamp NOT NULL,
    execution_time timestamp NOT NULL, workflow_id varchar(255) NOT NULL, status int NOT NULL, close_time timestamp, history_length bigint,
    PRIMARY KEY (namespace_id, run_id));
INSERT INTO executions_visibility
SELECT md5('n'), md5(i::text), at(i, 1), at(i, 1), 'w' || i, s, CASE WHEN s > 1 THEN at(i, 5) END, CASE WHEN s > 1 THEN 12 END
FROM generate_series(1, 350) i, LATERAL (SELECT 1 + i % 7 AS s) x;

-- statesman, old style (no from_state); an enum; a lock_version that starts at 0; the zone is known.
CREATE TYPE refund_state AS ENUM ('requested', 'approved', 'paid_out', 'rejected', 'disputed');
CREATE TABLE refunds (id serial PRIMARY KEY, state refund_state NOT NULL DEFAULT 'requested', amount numeric NOT NULL,
    created_at timestamptz NOT NULL, lock_version int NOT NULL);
CREATE TABLE refund_transitions (id serial PRIMARY KEY, to_state varchar NOT NULL, metadata json DEFAULT '{}', sort_key int NOT NULL,
    refund_id int NOT NULL REFERENCES refunds, most_recent boolean NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    UNIQUE (refund_id, sort_key));
WITH walks AS (SELECT i, pick(i, '{requested,requested approved,requested approved paid_out,requested rejected,
requested rejected approved paid_out}') AS w FROM generate_series(1, 250) i), r AS (
    INSERT INTO refunds SELECT i, w[cardinality(w)]::refund_state, i + 0.25, at(i, 1) AT TIME ZONE 'UTC', cardinality(w) - 1 FROM walks)
INSERT INTO refund_transitions (to_state, sort_key, refund_id, most_recent, created_at, updated_at)
SELECT s, k * 10, i, k = cardinality(w), at(i, k::int) AT TIME ZONE 'UTC', at(i, k::int) AT TIME ZONE 'UTC'
FROM walks, unnest(w) WITH ORDINALITY u (s, k) WHERE k > 1 ORDER BY i, k DESC;

-- django-fsm-log, with a CHECK that knows one state more than the rows; camelCase and other shapes of names.
CREATE TABLE shop_parcel (id serial PRIMARY KEY, status varchar(20) CHECK (status IN ('new', 'packed', 'in_transit', 'delivered', 'lost')),
    "createdOn" timestamptz NOT NULL, date_packed timestamptz, "deliveredTime" timestamptz, expected_at timestamptz, last_change timestamptz);
CREATE TABLE django_content_type (id serial PRIMARY KEY, app_label varchar(100), model varchar(100));
INSERT INTO django_content_type VALUES (1, 'shop', 'customer'), (2, 'shop', 'parcel');
CREATE TABLE django_fsm_log_statelog (id serial PRIMARY KEY, timestamp timestamptz NOT NULL, by_id int, source_state varchar(255),
    state varchar(255) NOT NULL, transition varchar(255) NOT NULL, content_type_id int NOT NULL, object_id int NOT NULL, description text);
WITH walks AS (SELECT i, pick(i, '{new,new packed,new packed in_transit,new packed in_transit delivered}') AS w
    FROM generate_series(1, 250) i), p AS (
    INSERT INTO shop_parcel SELECT i, w[cardinality(w)], at(i, 1) AT TIME ZONE 'UTC', came(i, w, 'packed') AT TIME ZONE 'UTC',
        came(i, w, 'delivered') AT TIME ZONE 'UTC', at(i + 48, 1) AT TIME ZONE 'UTC', at(i, 9) AT TIME ZONE 'UTC' FROM walks)
INSERT INTO django_fsm_log_statelog (timestamp, source_state, state, transition, content_type_id, object_id)
SELECT at(i, k::int) AT TIME ZONE 'UTC', CASE WHEN i % 5 > 0 THEN w[k - 1] END, s,
    CASE s WHEN 'packed' THEN 'pack' WHEN 'in_transit' THEN 'hand_over' ELSE 'deliver' END, 2, i
FROM walks, unnest(w) WITH ORDINALITY u (s, k) WHERE k > 1;
INSERT INTO django_fsm_log_statelog (timestamp, source_state, state, transition, content_type_id, object_id)
VALUES ('2024-01-01', 'delivered', 'new', 'somebody_elses', 1, 1);

-- Integer codes with a lookup table; spellings of one state; a soft delete.
CREATE TABLE ticket_states (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO ticket_states VALUES (1, 'Open'), (2, 'In progress'), (3, 'Closed'), (4, 'Won''t fix');
CREATE TABLE tickets (id int PRIMARY KEY, state_id int NOT NULL REFERENCES ticket_states, title text, opened timestamptz NOT NULL,
    closed_on date, deleted_at timestamptz);
INSERT INTO tickets SELECT i, 1 + i % 3, 'x', at(i, 1) AT TIME ZONE 'UTC', CASE WHEN i % 3 = 2 THEN at(i + 30, 1)::date END,
    CASE WHEN i % 50 = 0 THEN at(i + 90, 1) AT TIME ZONE 'UTC' END FROM generate_series(1, 200) i;
CREATE TABLE spelled (id int PRIMARY KEY, status text, paid_at timestamptz, created timestamptz NOT NULL);
INSERT INTO spelled SELECT i, (ARRAY['new', 'Paid', 'paid ', 'PAID'])[1 + i % 4], CASE WHEN i % 4 > 0 THEN at(i, 2) AT TIME ZONE 'UTC' END,
    at(i, 1) AT TIME ZONE 'UTC' FROM generate_series(1, 100) i;
CREATE TABLE stateless (id int PRIMARY KEY, kind text, amount numeric, note text);
INSERT INTO stateless SELECT i, (ARRAY['a', 'b', 'c'])[1 + i % 3], i, 'n' || i FROM generate_series(1, 100) i;
-- Items have a state of their own: no log of their order.
CREATE TABLE basket (id int PRIMARY KEY, state text NOT NULL, created_at timestamptz NOT NULL);
INSERT INTO basket SELECT i, CASE i % 2 WHEN 0 THEN 'open' ELSE 'sold' END, at(i, 1) AT TIME ZONE 'UTC' FROM generate_series(1, 100) i;
CREATE TABLE basket_item (id serial PRIMARY KEY, basket_id int REFERENCES basket, state text, created_at timestamptz);
INSERT INTO basket_item (basket_id, state, created_at) SELECT i, 'sold', at(i, 3) AT TIME ZONE 'UTC' FROM generate_series(1, 100) i;
CREATE TABLE keyless (status text, created_at timestamptz);
-- A log that is right, and a time that means something else: the value date of a payment is often before its approval.
CREATE TABLE loans (id serial PRIMARY KEY, state text NOT NULL, created_at timestamptz NOT NULL, approved_at timestamptz, paid_at timestamptz);
CREATE TABLE loan_transitions (id serial PRIMARY KEY, to_state varchar NOT NULL, sort_key int NOT NULL, loan_id int NOT NULL REFERENCES loans,
    metadata jsonb DEFAULT '{}', created_at timestamptz NOT NULL, UNIQUE (loan_id, sort_key));
WITH walks AS (SELECT i, pick(i, '{requested,requested approved,requested approved paid,requested approved paid}') AS w
    FROM generate_series(1, 300) i), l AS (
    INSERT INTO loans SELECT i, w[cardinality(w)], at(i, 1) AT TIME ZONE 'UTC', came(i, w, 'approved') AT TIME ZONE 'UTC',
        (came(i, w, 'paid') - CASE WHEN i % 5 < 2 THEN interval '10 minutes' ELSE '0' END) AT TIME ZONE 'UTC' FROM walks)
INSERT INTO loan_transitions (to_state, sort_key, loan_id, created_at)
SELECT s, k * 10, i, at(i, k::int) AT TIME ZONE 'UTC'
FROM walks, unnest(w) WITH ORDINALITY u (s, k) WHERE k > 1 ORDER BY i, k;
EOF2

say 'Solidus: payments with next to no evidence, orders, shipments'
draft payments spree_payments 1000
says 'The zone is a guess'
grep -qF 'Times without a zone are read as UTC' payments.txt || fail 'the screen does not say that the zone is a guess'
states '"checkout": "checkout"'
draft orders spree_orders 990
step 'complete > canceled' cancel
says 'payment_state'
says 'approved_at\" fits no state'
draft shipments spree_shipments 1000
says "because it is the column's default"
step 'pending > shipped' ship

draft reception spree_return_items 1000 --state reception_status
says 'acceptance_status'
states '"awaiting": "awaiting"'
draft acceptance spree_return_items 1000 --state acceptance_status
states '"manual_intervention_required": "manual_intervention_required"'

say 'several status columns become regions of one machine'
draft return_item spree_return_items 1000 --state reception_status,acceptance_status
says '"type": "parallel"'
states '"column": "acceptance_status"'
says 'state_in()'
draft whole_order spree_orders 990 --state state,payment_state,shipment_state
states '"shipment": {'
states '{ "state": "state.canceled", "at": "canceled_at"'
step 'state.complete > state.canceled' cancel

say 'OFBiz: a lookup table for everybody, a status history, a plan that is no evidence'
draft order order_header 990
states '"ORDER_APPROVED": "approved"'
step 'processing > held' hold
step 'held > processing' start_processing
step 'created > cancelled' cancel
no_step 'created > completed'
says 'order_status'
! grep -q 'INVOICE_\|SHIPMENT_' "$mapping" || fail 'codes of other entities are in the mapping'
draft invoice invoice 1000
says 'Column \"due_date\" is a plan'
states '{ "state": "paid", "at": "paid_date", "absent": "never" }'

for table in order_item quote return_header shipment inventory_transfer; do
    draft "ofbiz_$table" "$table" 990
done
states '"at": "receive_date"'
name=ofbiz_return_header
step 'received > man_refund' '[a-z_]+'
name=ofbiz_shipment
step 'picked > packed' pack

say 'Medusa: a name that has to be quoted'
draft medusa order 990
states '"requires_action": "requires_action"'

say 'GitLab: one column for three states, and a lock_version that starts at 0'
draft builds ci_builds 990
states '"canceled", "failed", "success"'
states '"state": "running"'
states '"sql": "\"lock_version\" + 1"'
step 'pending > running' start_running
step 'running > success' succeed

say 'Temporal: integer codes, a composite key, naive timestamps'
draft runs executions_visibility 1000
states '"key": ["namespace_id", "run_id"]'
states '"1": "status_1"'
says 'No table says what status 1 means'
states '["status_2", "status_3", "status_4", "status_5", "status_6", "status_7"]'

say 'statesman, with an enum that knows more than the rows'
draft refunds refunds 990
step 'requested > approved' approve
step 'rejected > approved' approve
step 'approved > paid_out' pay_out
no_step 'requested > paid_out'
says 'refund_transitions (statesman)'
states '"disputed": "disputed"'
says 'A guess: nothing in the data leads to this state.'

say 'a draft that loses many rows is mended: one column gives way'
draft loans loans 1000
says 'loan_transitions (statesman)'
step 'approved > paid' pay
no_step 'paid > approved'
says 'It looks like evidence, but contradicts the others in many rows.'
grep -q 'tried on the rows: 300 of 300' loans.txt || { cat loans.txt; fail 'the draft of loans was not mended'; }

say 'django-fsm-log: its commands, old rows without source_state, other models left alone'
draft parcels shop_parcel 1000
step 'new > packed' pack
step 'packed > in_transit' hand_over
step 'in_transit > delivered' deliver
no_step 'delivered > new'
states '"lost": "lost"'
states '{ "state": "packed", "at": "date_packed"'
states '{ "state": "delivered", "at": "deliveredTime"'
states '{ "creation": "createdOn" }'
states '{ "last_change": "last_change" }'
says '\"expected_at\" is a plan'

say 'the other kinds of logs: from each come the same steps'
psql -Xq <<'EOF2'
CREATE TABLE walks AS SELECT i, pick(i, '{new,new active,new active done,new active done active,new active done active done}') AS w
FROM generate_series(1, 200) i;
-- One line for each step: the state before, the state after.
CREATE VIEW steps AS SELECT i, k, w[k - 1] AS f, w[k] AS t, at(i, k) AT TIME ZONE 'UTC' AS at
FROM walks, generate_series(1, cardinality(w)) k;
CREATE TABLE bill (id int PRIMARY KEY, state text NOT NULL, created_at timestamptz NOT NULL);
INSERT INTO bill SELECT i, w[cardinality(w)], at(i, 1) AT TIME ZONE 'UTC' FROM walks;
CREATE TABLE bill_state_transitions (id serial PRIMARY KEY, bill_id int REFERENCES bill, namespace text, event text, "from" text, "to" text,
    created_at timestamp);
INSERT INTO bill_state_transitions (bill_id, event, "from", "to", created_at)
SELECT i, CASE t WHEN 'active' THEN CASE f WHEN 'new' THEN 'start' ELSE 'reopen' END WHEN 'done' THEN 'finish' END, f, t, at FROM steps;

CREATE TABLE app_loan AS SELECT id, state, created_at FROM bill;
CREATE TABLE app_historicalloan (id int, state text, created_at timestamptz, history_id serial PRIMARY KEY, history_date timestamptz,
    history_change_reason text, history_type char(1), history_user_id int);
INSERT INTO app_historicalloan (id, state, history_date, history_type) SELECT i, t, at, CASE k WHEN 1 THEN '+' ELSE '~' END FROM steps;
INSERT INTO app_historicalloan (id, state, history_date, history_type) SELECT i, t, at + interval '1 s', '~' FROM steps;

CREATE TABLE claims AS SELECT id, state, created_at FROM bill;
CREATE TABLE versions (id serial PRIMARY KEY, item_type text NOT NULL, item_id int NOT NULL, event text NOT NULL, whodunnit text, object text,
    created_at timestamp);
INSERT INTO versions (item_type, item_id, event, object, created_at)
SELECT 'Claim', i, CASE k WHEN 1 THEN 'create' ELSE 'update' END, json_build_object('state', f)::text, at FROM steps WHERE k > 1
UNION ALL SELECT 'Claim', i, 'create', NULL, at FROM steps WHERE k = 1
UNION ALL SELECT 'Person', i, 'update', '{"state": "done"}', at FROM steps;

CREATE TABLE audited AS SELECT id, state, created_at FROM bill;
CREATE SCHEMA audit;
CREATE TABLE audit.logged_actions (event_id bigserial PRIMARY KEY, schema_name text, table_name text, relid oid, session_user_name text,
    action_tstamp_tx timestamptz, transaction_id bigint, action text, row_data text, changed_fields text, statement_only boolean);
INSERT INTO audit.logged_actions (schema_name, table_name, action, row_data, changed_fields)
SELECT 'public', 'audited', CASE k WHEN 1 THEN 'I' ELSE 'U' END, format('"id"=>"%s", "state"=>"%s"', i, coalesce(f, t)),
    CASE WHEN k > 1 THEN format('"state"=>"%s"', t) END FROM steps;
INSERT INTO audit.logged_actions (schema_name, table_name, action, row_data, changed_fields)
VALUES ('public', 'audited', 'U', '"id"=>"1", "state"=>"new"', '"note"=>"x"'),
    ('public', 'other', 'U', '"id"=>"1", "state"=>"new"', '"state"=>"done"');

CREATE TABLE supa AS SELECT id, state, created_at FROM bill;
CREATE TABLE audit.record_version (id bigserial PRIMARY KEY, record_id uuid, old_record_id uuid, op text, ts timestamptz, table_oid oid,
    table_schema name, table_name name, record jsonb, old_record jsonb);
INSERT INTO audit.record_version (op, ts, table_schema, table_name, record, old_record)
SELECT CASE k WHEN 1 THEN 'INSERT' ELSE 'UPDATE' END, at, 'public', 'supa', jsonb_build_object('id', i, 'state', t),
    CASE WHEN k > 1 THEN jsonb_build_object('id', i, 'state', f) END FROM steps;

CREATE TABLE period AS SELECT i AS id, t AS state, at(i, 1) AT TIME ZONE 'UTC' AS created_at, tstzrange(at, NULL) AS sys_period
FROM steps JOIN walks USING (i) WHERE k = cardinality(walks.w);
CREATE TABLE period_history (LIKE period);
INSERT INTO period_history SELECT i, t, at(i, 1) AT TIME ZONE 'UTC', tstzrange(at, at + interval '1 s') FROM steps JOIN walks USING (i)
WHERE k < cardinality(walks.w);
EOF2
for kind in 'bill state_machines-audit_trail' 'app_loan django-simple-history' 'claims paper_trail' 'audited audit trigger' \
    'supa supa_audit' 'period temporal_tables'; do
    draft "log_${kind%% *}" "${kind%% *}" 1000 --key id
    says "${kind#* })"
    step 'new > active' '(start|activate)'
    step 'active > done' finish
    step 'done > active' '(reopen|activate)'
    no_step 'new > done'
    no_step 'done > new'
    grep -o ' *[0-9,]* .* > [a-z]*' "$name.txt" | sort >"$name.steps"
    cmp log_bill.steps "$name.steps"
done

say 'lookups, spellings, soft deletes'
draft tickets tickets 1000
states '"2": "in_progress"'
states '"4": "won_t_fix"'
states '"where": "deleted_at IS NULL"'
draft spelled spelled 1000
states '"paid ": "paid"'
says 'are taken for one state'

draft basket basket 1000
says 'no log was found'
step 'open > sold' sell

say 'the sample: every transition that a person wrote is found'
psql -Xq -v rows=20000 -f "$SAMPLES/payment/legacy.sql"
draft sample payments 990
for pair in '0 > status_5' '0 > status_10' '0 > status_40' '0 > status_70' '5 > status_10' '5 > status_40' '5 > status_60' \
    '10 > status_20' '10 > status_50' '10 > status_60' '20 > status_30' '20 > status_20'; do
    step "status_$pair" '[a-z0-9_]+'
done
# What a person did not write: a column that is younger than the table hides challenges (0 > 60), and 77 is a dirty code.
others=$(grep -E ' > ' sample.txt | grep -vc 'status_77')
[ "$others" = 13 ] || { cat sample.txt; fail 'other transitions than expected'; }
states '{ "event": "PaymentRefunded", "count": "refund_count" }'

say 'from a file come the same states and steps'
psql -Xqc '\copy payments TO payments.csv CSV HEADER'
"$BACKSTORY" init --from payments.csv -o file >file.txt
grep ' > ' sample.txt | sort >a.txt
grep ' > ' file.txt | sort >b.txt
cmp a.txt b.txt
"$BACKSTORY" check file/payment.fsm.json file/payment.legacy.json >check.txt || { cat check.txt; fail 'the draft of the file is not accepted'; }
"$BACKSTORY" plan file/payment.legacy.json --from payments.csv --quiet >plan.txt || { cat plan.txt; fail 'plan fails on the file'; }

say 'the same draft twice is the same'
"$BACKSTORY" init --from "$source" --table public.payments -o again --quiet
cmp again/payment.fsm.json sample/payment.fsm.json
cmp again/payment.legacy.json sample/payment.legacy.json

say 'what cannot be drafted is said, and nothing is written over'
expect 2 'is there already' "$BACKSTORY" init --from "$source" --table payments -o sample
expect 0 'wrote sample/payment.fsm.json' "$BACKSTORY" init --from "$source" --table payments -o sample --force
expect 0 'wrote part/payment.fsm.json' "$BACKSTORY" init --from "$source" --table payments -o part --sample 20
expect 1 '"kind" (3 values)' "$BACKSTORY" init --from "$source" --table stateless -o none
expect 0 'wrote given/stateless.fsm.json' "$BACKSTORY" init --from "$source" --table stateless --state kind -o given
expect 1 'Did you mean "status"?' "$BACKSTORY" init --from "$source" --table payments --state statos -o none
expect 3 'Did you mean "public.payments"?' "$BACKSTORY" init --from "$source" --table paymens -o none
expect 1 '--key id' "$BACKSTORY" init --from "$source" --table keyless -o none
expect 2 '--table is missing' "$BACKSTORY" init --from "$source" -o none
expect 2 '--sample is a percentage' "$BACKSTORY" init --from "$source" --table payments --sample none
[ ! -e none ] || fail 'a draft that failed left something behind'
