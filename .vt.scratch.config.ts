import { defineConfig } from 'vitest/config'
export default defineConfig({ test: { root: '/work/main', include: ['test/lab/**/*.test.ts'], fileParallelism: false, testTimeout: 180_000, hookTimeout: 300_000 } })
