-- The three-phase method of the migration's execution contract, to be compared with revision 002
--
-- A nullable column, an UPDATE of every chunk from its parents, as the contract writes it, NOT NULL; then the
-- constraints, the index, and the nine tables dropped. All statements run in one transaction, each sent separately, so
-- no statement may contain a semicolon. The steps have the titles of revision 002.

-- step: Adding project_id to repositories table
ALTER TABLE repositories ADD COLUMN project_id varchar(50) NOT NULL DEFAULT 'default';

-- step: Adding project_id to code_chunks table
ALTER TABLE code_chunks ADD COLUMN project_id varchar(50);
UPDATE code_chunks SET project_id = (
  SELECT r.project_id FROM repositories r JOIN code_files cf ON cf.repository_id = r.id
  WHERE cf.id = code_chunks.code_file_id
)
WHERE project_id IS NULL;
ALTER TABLE code_chunks ALTER COLUMN project_id SET NOT NULL;

-- step: Adding validation constraints
ALTER TABLE repositories ADD CONSTRAINT check_repositories_project_id CHECK (project_id ~ '^[a-z0-9-]{1,50}$');
ALTER TABLE code_chunks ADD CONSTRAINT check_code_chunks_project_id CHECK (project_id ~ '^[a-z0-9-]{1,50}$');

-- step: Creating performance index
CREATE INDEX idx_project_repository ON repositories (project_id, id);

-- step: Dropping unused tables
DROP TABLE archived_work_items CASCADE;
DROP TABLE work_item_deployment_links CASCADE;
DROP TABLE vendor_deployment_links CASCADE;
DROP TABLE work_item_dependencies CASCADE;
DROP TABLE future_enhancements CASCADE;
DROP TABLE project_configuration CASCADE;
DROP TABLE deployment_events CASCADE;
DROP TABLE vendor_extractors CASCADE;
DROP TABLE tasks CASCADE;

-- step: Writing the version
UPDATE alembic_version SET version_num = '002' WHERE version_num = '005';
