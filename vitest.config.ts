import { defineConfig } from 'vitest/config'

const lab = {
  name: 'lab',
  include: ['test/lab/**/*.test.ts'],
  fileParallelism: false,
  testTimeout: 180_000,
  hookTimeout: 300_000,
  globalSetup: ['test/lab/vitest-setup.ts']
}

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 60_000 } },
      { test: lab }
    ]
  }
})
