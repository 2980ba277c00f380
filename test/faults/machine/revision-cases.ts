// Cases with a broken revision or a changed database: each step fails, and each phase of checks.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { downgrade } from '../../../lambda/migrator/migrator.ts';
import type { Deployment } from '../../../lib/twin/deployment.ts';
import { secondTransactionFails } from '../../machine/second-transaction.ts';
import { withMigrations } from '../../machine/twin.ts';
import { migratorOn, type TestDatabase } from '../../setup/database.ts';
import type { FaultCase } from './case.ts';
import type { Ends, PlaceName } from './places.ts';
import { atFirstRequestIn } from './run-case.ts';

const REVISION = 'codebase_mcp/002_remove_non_search_tables';

/** The revisions with SQL that fails at the end of one step of a script. */
function failingAt(script: string, number: number): Deployment {
  return withMigrations((folder) =>
    edit(join(folder, REVISION, script), (parts) =>
      parts.map((part, at) => (at === number ? `${part}\nDO $$ BEGIN PERFORM 1 / 0; END $$;\n` : part)),
    ),
  );
}

/** The revisions with an additional check. */
const withCheck = (phase: string, sql: string) =>
  withMigrations((folder) =>
    edit(join(folder, REVISION, 'verify', `${phase}.sql`), (parts) => [
      ...parts,
      `-- check: V9.9 one more\n${sql};\n`,
    ]),
  );

/** The parts are the header, then the steps or checks. */
function edit(file: string, change: (parts: string[]) => string[]): void {
  const parts = readFileSync(file, 'utf8').split(/^(?=-- (?:step|check): )/m);
  writeFileSync(file, change(parts).join(''));
}

const SCRIPTS: { place: PlaceName; script: string; steps: number; ends: Ends }[] = [
  { place: 'Migrate', script: 'upgrade.sql', steps: 8, ends: 'MigrationFailed' },
  { place: 'Downgrade', script: 'downgrade.sql', steps: 6, ends: 'DowngradeFailed' },
  { place: 'Downgrade on request', script: 'downgrade.sql', steps: 6, ends: 'MigrationFailed' },
];

const STEPS: FaultCase[] = SCRIPTS.flatMap(({ place, script, steps, ends }) =>
  Array.from(
    { length: steps },
    (_, at): FaultCase => ({
      place,
      fault: `step ${at + 1} of ${steps} fails`,
      ends,
      deployment: failingAt(script, at + 1),
    }),
  ),
);

const BROKEN = 'SELECT 1 / 0';
const VIOLATED = 'SELECT path FROM public.repositories';

const CHECKS: FaultCase[] = (
  [
    { place: 'Preflight', phase: 'before-upgrade', broken: 'MigrationFailed', violated: 'MigrationFailed' },
    { place: 'Validate', phase: 'after-upgrade', broken: 'ValidationFailed', violated: 'ValidationFailed' },
    { place: 'Downgrade', phase: 'before-downgrade', broken: 'DowngradeFailed', violated: 'DowngradeFailed' },
    {
      place: 'Validate downgrade',
      phase: 'after-downgrade',
      broken: 'DowngradeFailed',
      violated: 'DowngradeFailed',
    },
  ] as const
).flatMap(({ place, phase, broken, violated }): FaultCase[] => [
  {
    place,
    fault: `a check ${phase.replace('-', ' the ')} cannot run`,
    ends: broken,
    deployment: withCheck(phase, BROKEN),
  },
  {
    place,
    fault: `a check ${phase.replace('-', ' the ')} does not hold`,
    ends: violated,
    deployment: withCheck(phase, VIOLATED),
  },
]);

/** Changes the database after a state has begun and before it connects. */
function meanwhile(
  place: PlaceName,
  act: (database: TestDatabase) => Promise<unknown>,
): NonNullable<FaultCase['given']> {
  return (twin) => {
    void atFirstRequestIn(place, twin, () => act(twin.database));
  };
}

const MOVED: FaultCase[] = [
  {
    place: 'Reconcile',
    fault: 'another run has moved the database to a third revision, neither its first nor its target',
    ends: 'OutcomeUnknown',
    given: meanwhile('Reconcile', (database) => downgrade(migratorOn(database), '003')),
  },
  {
    place: 'Finalize',
    fault: 'the server refuses to drop a table',
    ends: 'FinalizeFailed',
    given: ({ database }) =>
      database.asAdministrator(`
        CREATE SCHEMA fridays;
        CREATE FUNCTION fridays.dropping() RETURNS event_trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'no table is dropped on Fridays'; END $$;
        CREATE EVENT TRIGGER dropping ON ddl_command_start WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION fridays.dropping()`),
  },
  {
    place: 'Finalize',
    fault: 'another run has downgraded the database after its validation',
    ends: 'NotAtTarget',
    given: meanwhile('Finalize', (database) => downgrade(migratorOn(database), '005')),
  },
  {
    place: 'Downgrade',
    fault: 'a row was changed since the upgrade, and a downgrade would lose the change',
    ends: 'DowngradeFailed',
    given: meanwhile('Downgrade', (database) =>
      database.query("UPDATE repositories SET project_id = 'in-use'"),
    ),
  },
];

const INCOMPLETE: FaultCase[] = [
  {
    place: 'Validate downgrade',
    fault: 'the downgrade has left an object that was not there before',
    ends: 'DowngradeIncomplete',
    deployment: withMigrations((folder) =>
      appendFileSync(
        join(folder, REVISION, 'downgrade.sql'),
        '\nCREATE TYPE public.left_behind AS ENUM ();\n',
      ),
    ),
  },
];

const PARTS: FaultCase[] = [
  {
    place: 'Migrate',
    fault: 'the second of two transactions fails',
    ends: 'PartlyApplied',
    deployment: secondTransactionFails(),
  },
];

export const REVISIONS: FaultCase[] = [...STEPS, ...PARTS, ...INCOMPLETE, ...CHECKS, ...MOVED];
