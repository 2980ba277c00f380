-- Conditions that must hold before revision 002 is applied.

-- check: V7.1 no foreign key of the nine tables points at repositories or code_chunks
-- shown as: No foreign keys found from dropped tables to repositories/code_chunks
-- The refused run reports the columns error, message, detail and hint: the words of E1, with the remedy for all rows.
SELECT child.relname AS table_name, fk.conname AS constraint_name, parent.relname AS referenced_table,
  'ForeignKeyBlocked' AS error,
  format('Foreign key constraint detected from ''%s'' to ''%s''', child.relname, parent.relname) AS message,
  format('Cannot safely drop tables. Remove foreign key first. Found: %s',
    string_agg(format('%I (%I to %I)', fk.conname, child.relname, parent.relname), ', ') OVER blocking) AS detail,
  format('Run: %s',
    string_agg(format('ALTER TABLE public.%I DROP CONSTRAINT %I;', child.relname, fk.conname), ' ') OVER blocking) AS hint
FROM pg_constraint AS fk
JOIN pg_class AS child ON child.oid = fk.conrelid
JOIN pg_class AS parent ON parent.oid = fk.confrelid
WHERE fk.contype = 'f'
  AND child.relnamespace = 'public'::regnamespace
  AND child.relname IN (
    'archived_work_items', 'work_item_deployment_links', 'vendor_deployment_links', 'work_item_dependencies',
    'future_enhancements', 'project_configuration', 'deployment_events', 'vendor_extractors', 'tasks'
  )
  AND parent.relnamespace = 'public'::regnamespace
  AND parent.relname IN ('repositories', 'code_chunks')
WINDOW blocking AS (ORDER BY child.relname, fk.conname ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
ORDER BY child.relname, fk.conname;
