import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it, vi } from 'vitest'
import { fakeShell } from '../../../src/shell/fake.ts'
import { policyOf } from '../made-policies.ts'

const host = vi.hoisted(() => ({ dir: '' }))
vi.mock(import('../../../src/shared/host-paths.ts'), async (original) => {
  const paths = await original()
  const below = (name: string): never => `${host.dir}/${name}` as never
  return Object.defineProperties(
    { ...paths },
    {
      RUN_DIR: { get: () => below('run') },
      RUNS_DIR: { get: () => below('runs') },
      POLICIES_DIR: { get: () => below('policies') },
      UNITS_DIR: { get: () => below('units') },
      policyPath: { value: (id: string) => below(`policies/${id}.json`) }
    }
  )
})
const arming = vi.hoisted(() => ({ isAnew: true }))
/** Its timer runs once the clock has gone on to the next minute. */
vi.mock(import('../../../src/engine/policy/policy-units.ts'), async (original) => ({
  ...(await original()),
  writeUnits: () => {
    vi.setSystemTime(new Date('2026-11-28T10:25:00.400Z'))
    return Promise.resolve(arming.isAnew)
  }
}))
vi.mock(import('../../../src/engine/retention/known-stores.ts'), async (original) => ({
  ...(await original()),
  knowStore: () => Promise.resolve()
}))

const { putPolicy } = await import('../../../src/engine/policy/policies.ts')

host.dir = mkdtempSync(join(tmpdir(), 'stillpoint-put-policy-'))
mkdirSync(join(host.dir, 'units'))
afterEach(() => {
  vi.useRealTimers()
})
afterAll(() => {
  rmSync(host.dir, { recursive: true, force: true })
})

const save = (): ReturnType<typeof putPolicy> => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-28T10:24:59.900Z') })
  const shell = fakeShell(() => '')
  return putPolicy(shell, policyOf({}), false)
}
const onDisk = (id: string): unknown => JSON.parse(readFileSync(join(host.dir, 'policies', `${id}.json`), 'utf8'))

it.each<[string, boolean, string]>([
  ['when its timer runs: what was due while that was being armed has not been missed', true, '10:25:00.400'],
  ['when it was saved, where its timer goes on as it is', false, '10:24:59.900']
])('counts from %s', async (_what, isAnew, at) => {
  arming.isAnew = isAnew
  const saved = await save()
  expect(saved.changedAt).toBe(`2026-11-28T${at}Z`)
  expect(onDisk(saved.id)).toEqual(saved)
})
