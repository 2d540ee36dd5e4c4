-- Who may do what with the event store. Installed last.
--
-- history is append-only for everybody (see refuse_change() in schema.sql); these roles say who may read and who may append.

-- Two roles to grant to people and programs. A migration run that may not create roles goes on without.
DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['backstory_reader', 'backstory_appender'] LOOP
        IF to_regrole(name) IS NOT NULL THEN
            CONTINUE;
        ELSIF EXISTS (SELECT FROM pg_roles
                      WHERE rolname = current_user AND (rolcreaterole OR rolsuper)) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- roles belong to all databases: another one's store was installed meanwhile
            END;
        ELSE
            RAISE NOTICE 'role % is not made: % may not create roles', name, current_user;
        END IF;
    END LOOP;
END
$do$;

DO $do$
BEGIN
    IF to_regrole('backstory_reader') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA backstory TO backstory_reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA backstory TO backstory_reader;
        GRANT SELECT ON SEQUENCE backstory.position TO backstory_reader; -- for horizon()
    END IF;
    IF to_regrole('backstory_appender') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA backstory TO backstory_appender;
        GRANT SELECT ON ALL TABLES IN SCHEMA backstory TO backstory_appender;
        GRANT INSERT ON backstory.machine, backstory.machine_version, backstory.run, backstory.plan,
            backstory.segment, backstory.command, backstory.load, backstory.snapshot, backstory.chunk,
            backstory.quarantine, backstory.manifest TO backstory_appender;
        GRANT UPDATE ON backstory.load, backstory.chunk TO backstory_appender;
        GRANT INSERT, UPDATE ON backstory.follow, backstory.follow_quarantine TO backstory_appender;
        GRANT INSERT ON backstory.follow_race, backstory.follow_start TO backstory_appender;
        GRANT USAGE, SELECT ON SEQUENCE backstory.run_id, backstory.position TO backstory_appender;
        GRANT EXECUTE ON FUNCTION backstory.withdraw_load TO backstory_appender;
    END IF;
END
$do$;
