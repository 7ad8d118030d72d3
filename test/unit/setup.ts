import { afterAll, vi } from 'vitest'

/** Files share a process and their modules: what one of them has changed of the world, the next one finds as it was. */
afterAll(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})
