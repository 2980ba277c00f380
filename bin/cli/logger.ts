// The loggers under whose names the command line speaks: Alembic's, that of a revision, and its own.
import type { RevisionId } from '../../lambda/migrator/model/report.ts';

/** In Alembic's words. */
export const alembic = (text: string): string => `INFO  [alembic.runtime.migration] ${text}`;

/** In the words of a revision's steps. */
export const migration = (revision: RevisionId, text: string): string =>
  `INFO  [migration.${revision}] ${text}`;

/** What neither of them says. */
export const backstop = (text: string): string => `INFO  [backstop] ${text}`;

export const warning = (text: string): string => `WARN  [backstop] ${text}`;
