-- The events as Emmett keeps them: its table and its primary key.
DROP TABLE IF EXISTS emt_messages;
CREATE SEQUENCE IF NOT EXISTS emt_global_message_position;
CREATE TABLE emt_messages (
    stream_position bigint NOT NULL, global_position bigint DEFAULT nextval('emt_global_message_position'),
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(), created timestamptz NOT NULL DEFAULT now(),
    is_archived boolean NOT NULL DEFAULT false, message_kind char(1) NOT NULL DEFAULT 'E', stream_id text NOT NULL,
    partition text NOT NULL DEFAULT 'global', message_schema_version text NOT NULL DEFAULT '1', message_id text NOT NULL,
    message_type text NOT NULL, message_data jsonb NOT NULL, message_metadata jsonb NOT NULL);
INSERT INTO emt_messages (stream_position, stream_id, message_id, message_type, message_data, message_metadata)
SELECT version, 'payment:' || stream, gen_random_uuid()::text, type, data || jsonb_build_object('occurredAt', occurred_at),
       jsonb_build_object('basis', basis) FROM event;
ALTER TABLE emt_messages ADD PRIMARY KEY (stream_id, stream_position, partition, is_archived);
