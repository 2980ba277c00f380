#!/usr/bin/env node
// `npm run draw`: draws the state machine out of the template that `cdk deploy` would send, for docs/architecture.md.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STACK, synthesize } from '../lib/synthesize.ts';
import { readDeployment } from '../lib/twin/deployment.ts';
import { draw, PICTURE } from './draw/draw.ts';

const folder = mkdtempSync(join(tmpdir(), 'backstop-draw-'));
try {
  const { definition } = readDeployment(synthesize(folder), STACK);
  writeFileSync(PICTURE, await draw(definition));
  console.log(PICTURE);
} finally {
  rmSync(folder, { recursive: true });
}
