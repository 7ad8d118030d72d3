import { globSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

/** Limits are for what hangs, not for what is slow: a busy machine makes nothing wrong. What a test found is said, and not how many. */
const common = { testTimeout: 900_000, hookTimeout: 900_000, chaiConfig: { truncateThreshold: 1000 } }

const UNIT = 'test/unit/**/*.test.ts'
/** Files that mock modules would find them loaded, or leave theirs to others. */
const mocking = globSync(UNIT).filter((file) => /\bvi\.mock\(/.test(readFileSync(file, 'utf8')))

/** A thousand definitions, each of them planned: more than half of the time of all. `npm run check` leaves them out. */
const MANY_DEFINITIONS = ['test/unit/hostile-points.test.ts']

/**
 * Modules are loaded once for all files, which takes a quarter of the time. A process and not a thread: some files set the
 * time zone.
 */
const unit = {
  name: 'unit',
  include: [UNIT],
  exclude: [...mocking, ...(process.env['STILLPOINT_TEST_QUICK'] === undefined ? [] : MANY_DEFINITIONS)],
  setupFiles: ['test/unit/setup.ts'],
  pool: 'forks' as const,
  isolate: false,
  ...common
}

/**
 * Against what is really there: processes, sockets, file systems, the built window. Each file has its own modules, as have
 * the unit tests that mock some.
 */
const contract = {
  name: 'contract',
  include: ['test/contract/**/*.test.ts', ...mocking],
  maxWorkers: 2,
  // Of projects that are run together, those of another number of workers wait for their turn.
  sequence: { groupOrder: 1 },
  ...common
}

/** A host, a page, a neighbour and a stream of points that mean harm, each against what is really there. */
const hostile = {
  name: 'hostile',
  include: ['test/hostile/**/*.test.ts'],
  maxWorkers: 2,
  sequence: { groupOrder: 2 },
  ...common,
  globalSetup: ['test/hostile/vitest-setup.ts']
}

const lab = {
  name: 'lab',
  include: ['test/lab/**/*.test.ts'],
  fileParallelism: false,
  ...common,
  globalSetup: ['test/lab/vitest-setup.ts'],
  setupFiles: ['test/lab/vitest-qemu-user.ts']
}

/** A real browser on the built window: over made-up data, and over the lab. One file at a time in a lab. */
const e2e = {
  name: 'e2e',
  include: ['test/e2e/**/*.test.ts'],
  fileParallelism: false,
  ...common,
  globalSetup: ['test/e2e/vitest-setup.ts']
}

export default defineConfig({
  test: {
    projects: [{ test: unit }, { test: contract }, { test: hostile }, { test: e2e }, { test: lab }]
  }
})
