import { defineConfig } from 'vitest/config'

/** For what hangs, not for what is slow: a busy machine makes nothing wrong. */
const patience = { testTimeout: 180_000, hookTimeout: 180_000 }

const lab = {
  name: 'lab',
  include: ['test/lab/**/*.test.ts'],
  fileParallelism: false,
  testTimeout: 180_000,
  hookTimeout: 300_000,
  globalSetup: ['test/lab/vitest-setup.ts']
}

/** A real browser on the built window: over made-up data, and over the lab. One file at a time: they measure. */
const e2e = {
  name: 'e2e',
  include: ['test/e2e/**/*.test.ts'],
  fileParallelism: false,
  testTimeout: 180_000,
  hookTimeout: 300_000,
  globalSetup: ['test/e2e/vitest-setup.ts']
}

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], ...patience } },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], ...patience } },
      { test: e2e },
      { test: lab }
    ]
  }
})
