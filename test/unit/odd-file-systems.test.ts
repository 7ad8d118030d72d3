import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { holdAlone, holdShared } from '../../src/engine/retention/file-lock.ts'
import { changingPoint, whileReading } from '../../src/engine/retention/point-lock.ts'
import { whileAloneIn } from '../../src/engine/retention/store-lock.ts'
import { imageInfo } from '../../src/libvirt/qemu-img.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import type { Failure } from '../../src/shared/failure.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { MANIFEST_NAME } from '../../src/store/layout.ts'
import { IDENTITY_NAME } from '../../src/store/store-identity.ts'
import { keepToRoot, syncDir, syncFile } from '../../src/store/durable.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint odd '))))
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

/** flock of this name comes before that of the machine. */
function flockThat(script: string): void {
  writeFileSync(join(folder, 'flock'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`)
}

// /proc has modes and folders that can neither be changed nor synced, as a share of CIFS or a stick with exFAT has.
describe('a store on a file system that lacks something', () => {
  it('need not make the names in its folders last', async () => {
    await expect(syncFile('/proc/self')).rejects.toMatchObject({ code: 'EINVAL' })
    await syncDir('/proc/self')
    await syncDir(folder)
  })

  it('is still told of a folder that is not there', async () => {
    await expect(syncDir(join(folder, 'no'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('keeps the modes that its mount gives, and takes them where it can', async () => {
    await keepToRoot('/proc/self/status')
    const file = join(folder, 'image')
    writeFileSync(file, '', { mode: 0o644 })
    await keepToRoot(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await expect(keepToRoot(join(folder, 'no'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it.each([holdAlone, holdShared])('that gives no locks is told apart from one that is busy: %o', async (hold) => {
    const path = join(folder, 'store')
    writeFileSync(path, '')
    flockThat('echo "flock: 9: No locks available" >&2; exit 71')
    expect(await hold(path, 0)).toBe('no locks')
    flockThat('exit 75')
    expect(await hold(path, 0)).toBe('busy')
  })

  it('that gives no locks is read without one, and nothing is changed in it', async () => {
    for (const name of [IDENTITY_NAME, MANIFEST_NAME]) writeFileSync(join(folder, name), '')
    flockThat('exit 71')
    expect(await whileReading(folder, () => Promise.resolve('read'))).toBe('read')
    expect(await changingPoint(folder)).toBeUndefined()
    await expect(whileAloneIn(folder, () => Promise.resolve('changed'))).rejects.toMatchObject({
      failure: { kind: 'io', path: folder, code: 'ENOLCK' }
    })
  })

  it.each([
    ['EFBIG', /FAT: 4 GiB/],
    ['ENOLCK', /rpc\.statd/],
    ['EACCES', /root_squash/]
  ])('is told with what to do: %s', (code, step) => {
    const failure: Failure = { kind: 'io', path: '/mnt/x', code, detail: 'refused' }
    expect(describeFailure(failure).nextStep).toMatch(step)
  })
})

describe('an image on NFS with root_squash', () => {
  const refusing = (stderr: string): ReturnType<typeof fakeShell> => fakeShell({ 'qemu-img': { exitCode: 1, stderr } })

  it('is named as one that not even root may read', async () => {
    const shell = refusing(
      "qemu-img: Could not open '/nfs/a.qcow2': Could not open '/nfs/a.qcow2': Permission denied\n"
    )
    await expect(imageInfo(shell, '/nfs/a.qcow2', { format: 'qcow2' })).rejects.toMatchObject({
      failure: { kind: 'io', path: '/nfs/a.qcow2', code: 'EACCES' }
    })
  })

  it('is not confused with one that is damaged', async () => {
    const shell = refusing("qemu-img: Could not open '/nfs/a.qcow2': Image is not in qcow2 format\n")
    await expect(imageInfo(shell, '/nfs/a.qcow2', { format: 'qcow2' })).rejects.toMatchObject({
      failure: { kind: 'command-failed', exitCode: 1 }
    })
  })
})
