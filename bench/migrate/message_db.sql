-- The events as message-db keeps them: its table and its three indexes.
DROP TABLE IF EXISTS messages;
CREATE OR REPLACE FUNCTION category(stream_name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT split_part(stream_name, '-', 1) $$;
CREATE TABLE messages (
    global_position bigserial NOT NULL, position bigint NOT NULL, "time" timestamp NOT NULL DEFAULT now(),
    stream_name text NOT NULL, type text NOT NULL, data jsonb, metadata jsonb, id uuid NOT NULL DEFAULT gen_random_uuid());
INSERT INTO messages (position, stream_name, type, data, metadata)
SELECT version - 1, 'payment-' || stream, type, data || jsonb_build_object('occurredAt', occurred_at),
       jsonb_build_object('basis', basis) FROM event;
ALTER TABLE messages ADD PRIMARY KEY (global_position);
CREATE UNIQUE INDEX messages_id ON messages (id);
CREATE UNIQUE INDEX messages_stream ON messages (stream_name, position);
CREATE INDEX messages_category ON messages (category(stream_name), global_position, category(metadata->>'correlationStreamName'));
