import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { isGone, mountBelow } from '../../../src/engine/evidence/presence.ts'

it('a file is gone for good only while the file system is mounted that it lay on', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'stillpoint-presence-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  // What is below the mount point shows when nothing is mounted.
  await writeFile(join(dir, 'lost+found'), '')
  const path = join(dir, 'web.qcow2')
  expect(await isGone(path, 'web', '/proc')).toBe(true)
  expect(await isGone(path, 'web')).toBe(true)
  await expect(isGone(path, 'web', dir)).rejects.toMatchObject({
    failure: { kind: 'left-behind', left: [{ path, because: `nothing is mounted at ${dir}` }] }
  })
})

it('the mount that a file lies on is noted, unless it is that of the whole host', async () => {
  expect(await mountBelow('/proc/none/web.qcow2')).toBe('/proc')
  expect(await mountBelow('/')).toBeUndefined()
})
