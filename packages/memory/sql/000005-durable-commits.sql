-- A change shows only when it is on the disk, whatever the server, the database or the role is set to.

-- With synchronous_commit off a commit is seen, and acknowledged, before it is flushed. After a crash it
-- never was, and its transaction's number is given again: to a change that whoever saw the first one
-- never asks for. Set for this transaction alone, so that it works through a pooler.
CREATE FUNCTION {{schema}}.flush_on_commit() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
END $$;

-- As before, and it flushes.
CREATE OR REPLACE FUNCTION {{schema}}.begin_write() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM {{schema}}.flush_on_commit();
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('{{schema}}.items', 0));
END $$;

-- As before, and it flushes.
CREATE OR REPLACE FUNCTION {{schema}}.clear_namespace(cleared text, with_below boolean)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  drawn bigint;
BEGIN
  PERFORM {{schema}}.flush_on_commit();
  PERFORM pg_advisory_xact_lock(hashtextextended('{{schema}}.items', 0));
  drawn := nextval('{{schema}}.versions');
  INSERT INTO {{schema}}.namespace_clears (namespace, below, version) VALUES (cleared, with_below, drawn)
  ON CONFLICT (namespace, below) DO UPDATE
    SET version = excluded.version, swept_namespace = '', swept_key = '', at = excluded.at;
  INSERT INTO {{schema}}.changes (namespace, key, version, op)
  VALUES (cleared, '', drawn, CASE WHEN with_below THEN 'clear-below' ELSE 'clear' END);
  RETURN drawn;
END $$;
