// The lines of objects that most databases have few of: schemas, extensions, casts, operators, foreign servers, text search, …
import { FIRST_OID } from '../first-oid.ts';
import { hidden, type Kind, own, role, short, THIS_DATABASE } from './scope.ts';

/** The name of an object in a schema. */
const named = (schema: string, name: string) =>
  `(SELECT s.name FROM schemas AS s WHERE s.oid = ${schema}) || '.' || pg_catalog.quote_ident(${name})`;

/** The method of an operator class or family. */
const method = (oid: string) =>
  `(SELECT pg_catalog.quote_ident(m.amname) FROM pg_catalog.pg_am AS m WHERE m.oid = ${oid})`;

/** An operator family of the server or of the user. */
const family = (oid: string) =>
  `(SELECT f.opfnamespace::regnamespace::text || '.' || pg_catalog.quote_ident(f.opfname) FROM pg_catalog.pg_opfamily AS f WHERE f.oid = ${oid})`;

/** The role pg_database_owner, which owns the schema public of a new database from PostgreSQL 15 on. */
const DATABASE_OWNER = 6171;

const SCHEMAS = `
  SELECT 'schema ' || s.name || E'\\t' || 'owner '
         || CASE s.nspowner WHEN ${DATABASE_OWNER} THEN (SELECT ${role('d.datdba')} FROM pg_catalog.pg_database AS d WHERE ${THIS_DATABASE})
                 ELSE ${role('s.nspowner')} END
  FROM schemas AS s WHERE ${own('pg_namespace', 's.oid')}`;

const EXTENSIONS = `
  SELECT 'extension ' || pg_catalog.quote_ident(e.extname) || E'\\t' || 'version ' || e.extversion || ' in schema ' || e.extnamespace::regnamespace::text
  FROM pg_catalog.pg_extension AS e`;

const CASTS = `
  SELECT 'cast from ' || c.castsource::regtype::text || ' to ' || c.casttarget::regtype::text || E'\\t'
         || CASE c.castmethod WHEN 'f' THEN c.castfunc::regprocedure::text WHEN 'i' THEN 'by text' ELSE 'binary' END
         || CASE c.castcontext WHEN 'e' THEN '' WHEN 'a' THEN ', assignment' ELSE ', implicit' END
  FROM pg_catalog.pg_cast AS c WHERE c.oid >= ${FIRST_OID} AND ${own('pg_cast', 'c.oid')}
    AND c.castfunc NOT IN (SELECT p.oid FROM pg_catalog.pg_proc AS p WHERE p.prolang = 12 AND p.prosrc = 'multirange_constructor1')`;

const TRANSFORMS = `
  SELECT 'transform for ' || t.trftype::regtype::text || ' language ' || (SELECT pg_catalog.quote_ident(l.lanname) FROM pg_catalog.pg_language AS l WHERE l.oid = t.trflang) || E'\\t'
         || 'from SQL ' || t.trffromsql::oid::regprocedure::text || ', to SQL ' || t.trftosql::oid::regprocedure::text
  FROM pg_catalog.pg_transform AS t WHERE ${own('pg_transform', 't.oid')}`;

const OPERATORS = `
  SELECT 'operator ' || o.oid::regoperator::text || E'\\t' || 'owner ' || ${role('o.oprowner')} || ', ' || o.oprcode::oid::regprocedure::text
         || CASE o.oprcom WHEN 0 THEN '' ELSE ' commutator ' || o.oprcom::regoperator::text END
         || CASE o.oprnegate WHEN 0 THEN '' ELSE ' negator ' || o.oprnegate::regoperator::text END
         || ' restrict ' || o.oprrest::oid::regprocedure::text || ' join ' || o.oprjoin::oid::regprocedure::text
         || CASE WHEN o.oprcanmerge THEN ' merges' ELSE '' END || CASE WHEN o.oprcanhash THEN ' hashes' ELSE '' END
  FROM pg_catalog.pg_operator AS o JOIN schemas AS s ON s.oid = o.oprnamespace WHERE ${own('pg_operator', 'o.oid')}`;

const OPERATOR_CLASSES = `
  SELECT 'operator class ' || ${named('o.opcnamespace', 'o.opcname')} || ' for ' || ${method('o.opcmethod')} || E'\\t' || 'owner ' || ${role('o.opcowner')}
         || ', type ' || o.opcintype::regtype::text || CASE WHEN o.opcdefault THEN ', default' ELSE '' END || ', family ' || ${family('o.opcfamily')}
         || CASE o.opckeytype WHEN 0 THEN '' ELSE ', storage ' || o.opckeytype::regtype::text END
  FROM pg_catalog.pg_opclass AS o JOIN schemas AS s ON s.oid = o.opcnamespace WHERE ${own('pg_opclass', 'o.oid')}
  UNION ALL
  SELECT 'operator family ' || ${named('f.opfnamespace', 'f.opfname')} || ' for ' || ${method('f.opfmethod')} || E'\\t' || 'owner ' || ${role('f.opfowner')}
         || coalesce(', operators ' || (
              SELECT pg_catalog.string_agg(e.entry, ', ' ORDER BY e.entry COLLATE "C")
              FROM (SELECT a.amopstrategy::text || ' ' || a.amopopr::regoperator::text || ' ' || a.amoppurpose::text
                           || coalesce(' ' || ${family('nullif(a.amopsortfamily, 0)')}, '') AS entry
                    FROM pg_catalog.pg_amop AS a WHERE a.amopfamily = f.oid) AS e), '')
         || coalesce(', functions ' || (
              SELECT pg_catalog.string_agg(e.entry, ', ' ORDER BY e.entry COLLATE "C")
              FROM (SELECT a.amprocnum::text || ' ' || a.amproc::oid::regprocedure::text || ' ' || a.amproclefttype::regtype::text
                           || ' ' || a.amprocrighttype::regtype::text AS entry
                    FROM pg_catalog.pg_amproc AS a WHERE a.amprocfamily = f.oid) AS e), '')
  FROM pg_catalog.pg_opfamily AS f JOIN schemas AS s ON s.oid = f.opfnamespace WHERE ${own('pg_opfamily', 'f.oid')}`;

const ACCESS_METHODS = `
  SELECT 'access method ' || pg_catalog.quote_ident(m.amname) || E'\\t' || m.amhandler::oid::regprocedure::text || ', ' || m.amtype::text
  FROM pg_catalog.pg_am AS m WHERE m.oid >= ${FIRST_OID} AND ${own('pg_am', 'm.oid')}`;

/** The columns of a collation have other names in newer versions. */
const COLLATIONS = `
  SELECT 'collation ' || ${named('c.collnamespace', 'c.collname')} || E'\\t' || 'owner ' || ${role('c.collowner')} || ', '
         || pg_catalog.concat_ws(' ', c.collprovider, CASE WHEN NOT c.collisdeterministic THEN 'not deterministic' END,
              coalesce(j ->> 'colllocale', j ->> 'colliculocale', c.collcollate), CASE WHEN c.collprovider <> 'i' THEN c.collctype END,
              j ->> 'collicurules')
  FROM pg_catalog.pg_collation AS c JOIN schemas AS s ON s.oid = c.collnamespace CROSS JOIN LATERAL pg_catalog.to_jsonb(c) AS j
  WHERE ${own('pg_collation', 'c.oid')}`;

const CONVERSIONS = `
  SELECT 'conversion ' || ${named('c.connamespace', 'c.conname')} || E'\\t' || 'owner ' || ${role('c.conowner')} || ', '
         || pg_catalog.pg_encoding_to_char(c.conforencoding) || ' to ' || pg_catalog.pg_encoding_to_char(c.contoencoding)
         || ' by ' || c.conproc::oid::regprocedure::text || CASE WHEN c.condefault THEN ', default' ELSE '' END
  FROM pg_catalog.pg_conversion AS c JOIN schemas AS s ON s.oid = c.connamespace WHERE ${own('pg_conversion', 'c.oid')}`;

const LANGUAGES = `
  SELECT 'language ' || pg_catalog.quote_ident(l.lanname) || E'\\t' || 'owner ' || ${role('l.lanowner')} || CASE WHEN l.lanpltrusted THEN ', trusted' ELSE '' END
         || ', ' || pg_catalog.concat_ws(' ', l.lanplcallfoid::regprocedure, l.laninline::regprocedure, l.lanvalidator::regprocedure)
  FROM pg_catalog.pg_language AS l WHERE l.oid >= ${FIRST_OID} AND ${own('pg_language', 'l.oid')}`;

/** The options of a user mapping are there for those who may read them. */
const FOREIGN = `
  SELECT 'foreign data wrapper ' || pg_catalog.quote_ident(w.fdwname) || E'\\t' || 'owner ' || ${role('w.fdwowner')}
         || ', handler ' || w.fdwhandler::regprocedure::text || ', validator ' || w.fdwvalidator::regprocedure::text
         || coalesce(', options (' || ${hidden('w.fdwoptions')} || ')', '')
  FROM pg_catalog.pg_foreign_data_wrapper AS w WHERE ${own('pg_foreign_data_wrapper', 'w.oid')}
  UNION ALL
  SELECT 'server ' || pg_catalog.quote_ident(v.srvname) || E'\\t' || 'owner ' || ${role('v.srvowner')}
         || ', wrapper ' || (SELECT pg_catalog.quote_ident(w.fdwname) FROM pg_catalog.pg_foreign_data_wrapper AS w WHERE w.oid = v.srvfdw)
         || coalesce(', type ' || v.srvtype, '') || coalesce(', version ' || v.srvversion, '')
         || coalesce(', options (' || ${hidden('v.srvoptions')} || ')', '')
  FROM pg_catalog.pg_foreign_server AS v WHERE ${own('pg_foreign_server', 'v.oid')}
  UNION ALL
  SELECT 'user mapping for ' || ${role('u.umuser')} || ' on server ' || pg_catalog.quote_ident(u.srvname) || E'\\t'
         || coalesce('options (' || ${hidden('u.umoptions')} || ')', 'options not shown')
  FROM pg_catalog.pg_user_mappings AS u`;

const PARSERS = `
  SELECT 'text search parser ' || ${named('p.prsnamespace', 'p.prsname')} || E'\\t' || pg_catalog.concat_ws(' ', p.prsstart::oid::regprocedure,
           p.prstoken::oid::regprocedure, p.prsend::oid::regprocedure, p.prsheadline::oid::regprocedure, p.prslextype::oid::regprocedure)
  FROM pg_catalog.pg_ts_parser AS p JOIN schemas AS s ON s.oid = p.prsnamespace WHERE ${own('pg_ts_parser', 'p.oid')}`;

const TEMPLATES = `
  SELECT 'text search template ' || ${named('t.tmplnamespace', 't.tmplname')} || E'\\t' || t.tmplinit::oid::regprocedure::text || ' ' || t.tmpllexize::oid::regprocedure::text
  FROM pg_catalog.pg_ts_template AS t JOIN schemas AS s ON s.oid = t.tmplnamespace WHERE ${own('pg_ts_template', 't.oid')}`;

const DICTIONARIES = `
  SELECT 'text search dictionary ' || d.oid::regdictionary::text || E'\\t' || 'owner ' || ${role('d.dictowner')} || ', template '
         || (SELECT t.tmplnamespace::regnamespace::text || '.' || pg_catalog.quote_ident(t.tmplname) FROM pg_catalog.pg_ts_template AS t WHERE t.oid = d.dicttemplate)
         || coalesce(', ' || ${short('d.dictinitoption')}, '')
  FROM pg_catalog.pg_ts_dict AS d JOIN schemas AS s ON s.oid = d.dictnamespace WHERE ${own('pg_ts_dict', 'd.oid')}`;

const CONFIGURATIONS = `
  SELECT 'text search configuration ' || c.oid::regconfig::text || E'\\t' || 'owner ' || ${role('c.cfgowner')} || ', parser '
         || (SELECT p.prsnamespace::regnamespace::text || '.' || pg_catalog.quote_ident(p.prsname) FROM pg_catalog.pg_ts_parser AS p WHERE p.oid = c.cfgparser)
         || coalesce(', ' || (SELECT pg_catalog.string_agg(m.maptokentype::text || ' ' || m.mapdict::regdictionary::text, ', ' ORDER BY m.maptokentype, m.mapseqno)
                              FROM pg_catalog.pg_ts_config_map AS m WHERE m.mapcfg = c.oid), '')
  FROM pg_catalog.pg_ts_config AS c JOIN schemas AS s ON s.oid = c.cfgnamespace WHERE ${own('pg_ts_config', 'c.oid')}`;

/** The catalogue has objects of that kind that are not the server's own. */
const made = (catalogue: string) => `pg_catalog.${catalogue} WHERE oid >= ${FIRST_OID}`;

export const OTHER_LINES: readonly Kind[] = [
  { lines: SCHEMAS },
  { lines: EXTENSIONS },
  { in: made('pg_cast'), lines: CASTS },
  { in: 'pg_catalog.pg_transform', lines: TRANSFORMS },
  { in: made('pg_operator'), lines: OPERATORS },
  { in: made('pg_opfamily'), lines: OPERATOR_CLASSES },
  { in: made('pg_am'), lines: ACCESS_METHODS },
  { in: made('pg_collation'), lines: COLLATIONS },
  { in: made('pg_conversion'), lines: CONVERSIONS },
  { in: made('pg_language'), lines: LANGUAGES },
  { in: 'pg_catalog.pg_foreign_data_wrapper', lines: FOREIGN },
  { in: made('pg_ts_dict'), lines: DICTIONARIES },
  { in: made('pg_ts_config'), lines: CONFIGURATIONS },
  { in: made('pg_ts_parser'), lines: PARSERS },
  { in: made('pg_ts_template'), lines: TEMPLATES },
];
