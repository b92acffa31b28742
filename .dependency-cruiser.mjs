// The architecture, as rules a machine keeps. Read it as documentation: every rule says
// why it is there. `npm run check` runs it; scripts/test/boundaries.test.ts plants one
// violation of every rule and sees it refused by name.
//
// Paths are matched against `packages/...` from the root; an npm package is matched both
// where it resolved (`node_modules/NAME/`) and by its bare name when it did not resolve.

const npm = (...names) => `(^|node_modules/)(${names.join('|')})(/|$)`;
const node = (...names) => `^(node:)?(${names.join('|')})$`;

const SRC = '^packages/[^/]+/src/';
const SERVER = '^packages/server/src/';
const PLATFORM = '^packages/server/src/platform/';

// A feature is every folder of the server but platform/. Its ring is said by the file's
// name: `service.ts`, `service-raise.ts` and `service/raise.ts` are the service. What has
// no such name is core, so that a new file starts under the strictest rules.
const FEATURE = '^packages/server/src/(?!platform/)[^/]+/';
const ring = (...names) => `${FEATURE}(${names.join('|')})[-./]`;
const SERVICE = ring('service');
const STORE = ring('store');
const ROUTES = ring('routes');
const NOT_CORE = ring('service', 'routes', 'store', 'jobs', 'index');

const DATABASE = npm('kysely', 'pg', '@types/pg', 'pg-.*', '@electric-sql/pglite');
const HTTP_SERVER = npm('fastify', 'fastify-plugin', '@fastify/[^/]+');
const NETWORK = node('net', 'http', 'https', 'http2', 'tls', 'dgram', 'dns', 'dns/promises');
const NETWORK_CLIENTS = npm('undici', 'ssh2', '@types/ssh2', 'nodemailer');
const FILES = node('fs', 'fs/promises');
const PROCESSES = node('child_process', 'worker_threads', 'cluster');

export default {
  forbidden: [
    // ---- the whole tree -------------------------------------------------------------
    {
      name: 'no-cycle',
      comment:
        'Two files that need each other are one file or miss a third. Type-only imports ' +
        'count: a cycle of types is read as a cycle too.',
      severity: 'error',
      from: { path: '^(packages|e2e|bench|scripts)/' },
      to: { circular: true },
    },
    {
      name: 'resolves',
      comment:
        'An import that does not resolve escapes every rule below (and is a bug, or a ' +
        'dependency missing from the package.json of its package).',
      severity: 'error',
      from: { path: '^(packages|e2e|bench|scripts)/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'package-by-name',
      comment:
        "Another package's source is reached through its name and its exports, never by a " +
        'path into it: the exports are what it promises.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/' },
      to: { path: SRC, pathNot: ['^packages/$1/'], dependencyTypes: ['local'] },
    },
    {
      name: 'no-test-in-source',
      comment: 'What ships must not depend on what tests it, nor on the tools that do.',
      severity: 'error',
      from: { path: SRC },
      to: {
        path: ['(^|/)test/', '\\.test\\.ts$', '^(e2e|bench|scripts)/', npm('vitest', 'fast-check')],
        pathNot: ['node_modules/(?!(vitest|fast-check)/).*/test/'],
      },
    },

    // ---- packages -------------------------------------------------------------------
    {
      name: 'shared-stands-alone',
      comment:
        'shared is the wire contract: every package and the page import it, so it brings ' +
        'nothing along but the schema library, and hashes and bytes from Node.',
      severity: 'error',
      from: { path: '^packages/shared/src/' },
      to: {
        pathNot: ['^packages/shared/src/', '^\\.', npm('typebox'), node('crypto', 'buffer')],
      },
    },
    {
      name: 'clients-never-import-the-server',
      comment:
        'cli, gateway and web know the service only by its API: a check that lives in the ' +
        'server cannot be taken for one made in a client, and none of them holds a database.',
      severity: 'error',
      from: { path: '^packages/(cli|gateway|web)/' },
      to: { path: ['^packages/server/', npm('@postern/server')] },
    },
    {
      name: 'clients-never-import-each-other',
      comment:
        'cli, gateway and web are separate programs with separate trust; what two of them ' +
        'need is a contract and belongs in shared.',
      severity: 'error',
      from: { path: '^packages/(cli|gateway|web)/' },
      to: {
        path: ['^packages/(cli|gateway|web)/', npm('@postern/(cli|gateway|web)')],
        pathNot: ['^packages/$1/'],
      },
    },
    {
      name: 'server-never-imports-clients',
      comment:
        'posternd starts a gateway as a process of its own, by the path of its program: an ' +
        'SSH fault must not be able to take the API down.',
      severity: 'error',
      from: { path: '^packages/server/' },
      to: { path: ['^packages/(cli|gateway|web)/', npm('@postern/(cli|gateway|web)')] },
    },
    {
      name: 'e2e-is-a-black-box',
      comment:
        'End-to-end tests see what a user sees: programs, exit codes, HTTP. They share only ' +
        'the wire contract, so that no test passes by reaching inside.',
      severity: 'error',
      from: { path: '^e2e/' },
      to: {
        path: ['^packages/', '^bench/', npm('@postern/[^/]+')],
        pathNot: ['^packages/shared/src/index\\.ts$', npm('@postern/shared')],
      },
    },

    // ---- the client's start ---------------------------------------------------------
    {
      name: 'cli-ssh2-in-its-folder',
      comment: 'ssh2 costs a tenth of a second to load: only cli/src/ssh/ may import it.',
      severity: 'error',
      from: { path: '^packages/cli/src/', pathNot: ['^packages/cli/src/ssh/'] },
      to: { path: npm('ssh2'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'cli-prompts-in-their-folder',
      comment: 'The prompts cost as much as ssh2: only cli/src/prompt/ may import them.',
      severity: 'error',
      from: { path: '^packages/cli/src/', pathNot: ['^packages/cli/src/prompt/'] },
      to: { path: npm('@inquirer/[^/]+', 'inquirer'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'cli-loads-them-lazily',
      comment:
        'cli/src/ssh/, prompt/ and oauth/ are loaded with `await import(…)` on the path that ' +
        'needs them: `sft --version` and `sft resolve -q` must start like bare Node.',
      severity: 'error',
      from: { path: '^packages/cli/src/', pathNot: ['^packages/cli/src/(ssh|prompt|oauth)/'] },
      to: {
        path: '^packages/cli/src/(ssh|prompt|oauth)/',
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
    },

    // ---- the server's rooms ---------------------------------------------------------
    {
      name: 'platform-knows-no-feature',
      comment:
        'platform is the ground all features stand on: clock, database, transaction, HTTP. ' +
        'What it needs from a feature is handed to it by deps.ts.',
      severity: 'error',
      from: { path: PLATFORM },
      to: { path: SERVER, pathNot: [PLATFORM] },
    },
    {
      name: 'features-know-no-composition',
      comment: 'main, config, deps and app compose features; a feature never reaches back up.',
      severity: 'error',
      from: { path: `${SERVER}[^/]+/` },
      to: { path: `${SERVER}[^/]+\\.ts$` },
    },
    {
      name: 'feature-by-its-door',
      comment:
        'A feature is imported only through its index.ts: what it promises the others is in ' +
        'one place, and its store stays its own.',
      severity: 'error',
      from: { path: `${SERVER}([^/]+)(/|$)` },
      to: { path: FEATURE, pathNot: [`${SERVER}$1/`, `${FEATURE}index\\.ts$`] },
    },

    // ---- core: decisions ------------------------------------------------------------
    {
      name: 'core-knows-no-outer-ring',
      comment:
        'The core decides from the facts it is handed. It loads nothing, so it cannot ask ' +
        'for a fact that was not locked, and a table of facts is all its test needs. ' +
        '(No async, clock or randomness either: scripts/purity.ts.)',
      severity: 'error',
      from: { path: FEATURE, pathNot: [NOT_CORE] },
      to: { path: ring('service', 'routes', 'store', 'jobs') },
    },
    {
      name: 'core-touches-no-world',
      comment: 'No database, HTTP, network, file or process in the core, not even as a type.',
      severity: 'error',
      from: { path: FEATURE, pathNot: [NOT_CORE] },
      to: {
        path: [DATABASE, HTTP_SERVER, NETWORK_CLIENTS, NETWORK, FILES, PROCESSES, npm('pino')],
      },
    },
    {
      name: 'core-takes-no-handle',
      comment:
        'From platform the core may use the errors, and types of values; not the ' +
        'transaction, the database or the jobs, not even as a type.',
      severity: 'error',
      from: { path: FEATURE, pathNot: [NOT_CORE] },
      to: {
        path: `${PLATFORM}(db|tx|jobs|outbox|clock|ids|authenticate|route)[-./]`,
      },
    },
    {
      name: 'core-asks-no-other-feature',
      comment:
        "Another feature's index.ts brings its service and its store along. The core takes " +
        'its types; the values come as arguments, from the service.',
      severity: 'error',
      from: { path: FEATURE, pathNot: [NOT_CORE] },
      to: { path: `${FEATURE}index\\.ts$`, dependencyTypesNot: ['type-only'] },
    },

    // ---- service: one use case, one transaction --------------------------------------
    {
      name: 'service-has-only-its-transaction',
      comment:
        'Inside a use case only `tx` exists. With the outer handle, PGlite deadlocks inside ' +
        'a transaction and PostgreSQL silently leaves it: a record without its decision.',
      severity: 'error',
      from: { path: SERVICE },
      to: {
        path: [
          DATABASE,
          HTTP_SERVER,
          `${PLATFORM}(db|jobs|outbox|clock|ids|route|authenticate)[-./]`,
        ],
      },
    },
    {
      name: 'service-does-no-io',
      comment:
        'No network, file or process inside a transaction: on PGlite it stops every other ' +
        'request, and nothing takes it back when the transaction does not commit.',
      severity: 'error',
      from: { path: SERVICE },
      to: { path: [NETWORK_CLIENTS, NETWORK, FILES, PROCESSES] },
    },
    {
      name: 'service-knows-no-edge',
      comment: 'No step goes back through a room it has left: routes and jobs call services.',
      severity: 'error',
      from: { path: SERVICE },
      to: { path: ring('routes', 'jobs') },
    },

    // ---- edge -----------------------------------------------------------------------
    {
      name: 'routes-go-through-a-service',
      comment:
        'A route translates HTTP into one use case. A route that reads the store has left ' +
        'the transaction, its check and its audit record out.',
      severity: 'error',
      from: { path: ROUTES },
      to: { path: [STORE, DATABASE, `${PLATFORM}(db|jobs|outbox)[-./]`] },
    },
    {
      name: 'sql-only-in-stores',
      comment:
        'All SQL of a feature is in its store, where the locks can be read in one place; ' +
        'the engine and the job queue themselves are known to platform only.',
      severity: 'error',
      from: { path: SERVER, pathNot: [PLATFORM, STORE] },
      to: { path: DATABASE },
    },
    {
      name: 'engine-only-in-platform',
      comment:
        'A store speaks Kysely on the handle it is given; who opened the connection, and to ' +
        'which engine, is known in platform alone: everything runs on PGlite and PostgreSQL.',
      severity: 'error',
      from: { path: SERVER, pathNot: [PLATFORM] },
      to: { path: npm('pg', 'pg-.*', '@electric-sql/pglite') },
    },
    {
      name: 'store-only-stores',
      comment: 'A store loads and saves; it decides nothing and calls nobody.',
      severity: 'error',
      from: { path: STORE },
      to: { path: [ring('service', 'routes', 'jobs'), HTTP_SERVER, NETWORK, FILES, PROCESSES] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage)/' },
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    exoticRequireStrings: ['requireFromHere', 'createRequire'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types', 'require'],
      extensions: ['.ts', '.mjs', '.js', '.json', '.d.ts'],
      mainFields: ['module', 'main', 'types', 'typings'],
    },
  },
};
