import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CaptureDisk } from '../../src/engine/capture/capture-plan.ts'
import { withNewKey, withOverlayAccess } from '../../src/engine/capture/overlay-keys.ts'
import { runHook } from '../../src/engine/policy/hooks.ts'
import { withServerLogins } from '../../src/engine/server-logins.ts'
import { commitOverlay } from '../../src/libvirt/qemu-img.ts'
import { qemuNameOf } from '../../src/libvirt/network-source.ts'
import { fakeShell, type FakeShell } from '../../src/shell/fake.ts'

const paths = vi.hoisted(() => ({ dir: '' }))
vi.mock('../../src/shared/host-paths.ts', async (original) => ({
  ...(await original<object>()),
  get JOBS_DIR() {
    return `${paths.dir}/jobs`
  },
  get RUN_DIR() {
    return `${paths.dir}/run`
  }
}))
beforeEach(() => (paths.dir = mkdtempSync(join(tmpdir(), 'stillpoint-secrets-'))))
afterEach(() => rmSync(paths.dir, { recursive: true }))

const SRC = join(import.meta.dirname, '../../src')
const [OF_DISK, OF_OVERLAY] = ['11111111-2222-4333-8444-555555555555', '66666666-2222-4333-8444-555555555555']
const PASSPHRASE = 'hunter2-of-the-disk'
const inBase64 = (text: string): string => Buffer.from(text).toString('base64')

const vm = { uuid: '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11', name: 'web' }
const encryption = { secret: OF_DISK, overlaySecret: OF_OVERLAY, payloadAt: 2_068_480 }
const disk = {
  target: 'vda',
  type: 'file',
  source: '/srv/l.img',
  format: 'raw',
  sidecar: '/srv/l.img.stillpoint',
  encryption
} as unknown as CaptureDisk

/** libvirt with a passphrase for everything, and every program that is asked for. */
const host = (): FakeShell =>
  fakeShell(({ argv }) => {
    if (argv[1] === 'secret-list') return ` ${OF_DISK}   iscsi the store\n`
    if (argv[1] === 'secret-get-value') return `${inBase64(PASSPHRASE)}\n`
    return ''
  })

/** What each way that a secret takes to a program has run, and the secret itself. */
const ways: Record<string, () => Promise<{ shell: FakeShell; secrets: readonly string[] }>> = {
  'the command of a hook': async () => {
    const shell = host()
    const hook = { command: `PGPASSWORD='${PASSPHRASE}' psql`, deadlineSeconds: 60 }
    await runHook(shell, hook, { policy: 'nightly', vm, phase: 'before' })
    return { shell, secrets: [PASSPHRASE] }
  },
  'the login to the server of a disk': async () => {
    const shell = host()
    const source = { protocol: 'iscsi', name: 'iqn.x/1', hosts: [SERVER], tls: false, login: LOGIN } as const
    const name = qemuNameOf(source, 'raw')
    await withServerLogins(shell).run(['qemu-img', 'info', 'image' in name ? name.image : expect.fail('no name')])
    return { shell, secrets: [PASSPHRASE] }
  },
  'the key of a new overlay': async () => {
    const shell = host()
    const keys: string[] = []
    await withNewKey(shell, disk, encryption, ({ overlay }) =>
      Promise.resolve(void keys.push(readFileSync(overlay, 'utf8')))
    )
    expect(keys).toEqual([expect.stringMatching(/^[\w+/]{64,}=*$/)])
    return { shell, secrets: keys.flatMap((key) => [key, Buffer.from(key, 'base64').toString()]) }
  },
  'the keys of an overlay and of its disk': async () => {
    const shell = host()
    await withOverlayAccess(shell, disk, (access) => commitOverlay(shell, disk.sidecar, access))
    return { shell, secrets: [PASSPHRASE] }
  }
}
const SERVER = { name: 'store', port: undefined, transport: 'tcp', socket: undefined } as const
const LOGIN = { user: 'u', secret: OF_DISK }

describe('a secret', () => {
  it.each(Object.entries(ways))('is in no argument and no environment of a program: %s', async (_, way) => {
    const { shell, secrets } = await way()
    expect(shell.calls.length).toBeGreaterThan(0)
    for (const { argv, options } of shell.calls)
      for (const secret of secrets.flatMap((text) => [text, inBase64(text)]))
        expect(JSON.stringify([argv, options.env ?? {}])).not.toContain(secret)
  })

  it('goes to programs by no other way: these alone start some', () => {
    const starting = globSync('**/*.{ts,tsx}', { cwd: SRC }).filter((file) =>
      readFileSync(join(SRC, file), 'utf8').includes('node:child_process')
    )
    const holdingLocks = ['engine/jobs/host-lock.ts', 'engine/retention/file-lock.ts']
    const others = starting.filter((file) => !file.startsWith('main/doors/')) // which open the browser
    expect(others.sort()).toEqual([...holdingLocks, 'shell/local.ts'])
  })
})
