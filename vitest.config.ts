import { defineConfig } from 'vitest/config'

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
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 60_000 } },
      { test: e2e },
      { test: lab }
    ]
  }
})
