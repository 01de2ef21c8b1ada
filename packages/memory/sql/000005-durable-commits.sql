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
