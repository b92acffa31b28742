import type { Files } from './tree.ts';

const S = 'packages/server/src';

/** A small house in which every room is where it belongs: no rule refuses anything in it. */
export const HOUSE: Files = {
  'packages/shared/src/index.ts': "export * from './units.ts';\n",
  'packages/shared/src/units.ts':
    "import { createHash } from 'node:crypto';\nimport { Type } from 'typebox';\n" +
    'export const unit = [createHash, Type];\n',
  [`${S}/index.ts`]: "export { start } from './main.ts';\n",
  [`${S}/main.ts`]: "import { app } from './app.ts';\nexport const start = app;\n",
  [`${S}/app.ts`]:
    "import { db } from './platform/db.ts';\nimport { routes } from './requests/index.ts';\n" +
    'export const app = [db, routes];\n',
  [`${S}/platform/db.ts`]:
    "import { Kysely } from 'kysely';\nimport pg from 'pg';\nimport boss from 'pg-boss';\n" +
    "import { PGlite } from '@electric-sql/pglite';\nexport const db = [Kysely, pg, boss, PGlite];\n",
  [`${S}/platform/tx.ts`]: "import type { Kysely } from 'kysely';\nexport type Tx = Kysely;\n",
  [`${S}/platform/jobs.ts`]: 'export const jobs = 1;\n',
  [`${S}/platform/errors.ts`]: 'export class Refusal extends Error {}\n',
  [`${S}/requests/index.ts`]: "export { routes } from './routes.ts';\n",
  [`${S}/requests/routes.ts`]:
    "import type { FastifyInstance } from 'fastify';\nimport { raise } from './service.ts';\n" +
    'export const routes = (app: FastifyInstance) => [app, raise];\n',
  [`${S}/requests/jobs.ts`]: "import { raise } from './service.ts';\nexport const due = raise;\n",
  [`${S}/requests/service.ts`]:
    "import type { Tx } from '../platform/tx.ts';\nimport { permits } from '../policy/index.ts';\n" +
    "import { step } from './machine.ts';\nimport { load } from './store.ts';\n" +
    'export const raise = (tx: Tx) => [tx, permits, step, load];\n',
  [`${S}/requests/store.ts`]:
    "import { sql } from 'kysely';\nimport type { Tx } from '../platform/tx.ts';\n" +
    'export const load = (tx: Tx) => [tx, sql];\n',
  [`${S}/requests/machine.ts`]:
    "import { unit } from '@postern/shared';\nimport type { Rule } from '../policy/index.ts';\n" +
    "import { Refusal } from '../platform/errors.ts';\n" +
    'export const step = (rule: Rule) => [rule, unit, Refusal];\n',
  [`${S}/policy/index.ts`]: "export { permits, type Rule } from './evaluate.ts';\n",
  [`${S}/policy/evaluate.ts`]:
    'export interface Rule { at: Date }\nexport const permits = (at: number) => new Date(at);\n',
  'packages/gateway/src/index.ts':
    "import { unit } from '@postern/shared';\nexport const g = unit;\n",
  'packages/cli/src/index.ts':
    "import { unit } from '@postern/shared';\n" +
    "export const ssh = async () => [unit, await import('./ssh/client.ts')];\n",
  'packages/cli/src/ssh/client.ts': "import ssh2 from 'ssh2';\nexport const client = ssh2;\n",
  'packages/cli/src/prompt/ask.ts':
    "import { input } from '@inquirer/prompts';\nexport const ask = input;\n",
  'packages/server/test/requests/machine.test.ts':
    "import { test } from 'vitest';\nimport { step } from '../../src/requests/machine.ts';\n" +
    'test(String(step));\n',
  'e2e/first.e2e.ts': "import { unit } from '@postern/shared';\nexport const seen = unit;\n",
};
