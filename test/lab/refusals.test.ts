import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from './host.ts'
import { must } from './run.ts'
import { Stillpoint } from './stillpoint.ts'
import { testLab } from './test-lab.ts'

const stillpoint = new Stillpoint()
let beta: LabHost

beforeAll(() => {
  beta = testLab().host('beta')
})

afterAll(() => {
  stillpoint.remove()
})

const add = (user: string, identity = beta.identityFile) =>
  stillpoint.run(['host', 'add', 'beta', `ssh://${user}@${beta.address}`, '--identity', identity, '--accept-new'])

describe('a host that cannot be used is refused in words', () => {
  it('without root: the exact line for sudoers is shown', async () => {
    const { exit, result } = await add('nosudo')
    expect([exit, result]).toMatchObject([1, { failure: { kind: 'no-root', user: 'nosudo' } }])
    expect(JSON.stringify(result)).toContain('nosudo ALL=(')
  })

  it('with a key that opens nothing', async () => {
    const key = join(stillpoint.home, 'stranger')
    await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key])
    expect(await add('root', key)).toMatchObject({
      exit: 1,
      result: { failure: { kind: 'auth-failed', user: 'root' } }
    })
  })

  it('with a key file that is none', async () => {
    const key = join(stillpoint.home, 'no-key')
    writeFileSync(key, 'PuTTY-User-Key-File-3: ssh-ed25519\n', { mode: 0o600 })
    expect(await add('root', key)).toMatchObject({ exit: 1, result: { failure: { kind: 'identity-unusable' } } })
  })

  it('without libvirt', async () => {
    await beta.must('mv /usr/bin/virsh /usr/bin/virsh.away')
    try {
      const { exit, result } = await add('root')
      expect(exit).not.toBe(0)
      expect(JSON.stringify(result)).toMatch(/libvirt/)
    } finally {
      await beta.must('mv /usr/bin/virsh.away /usr/bin/virsh')
    }
  })

  it('that is not there at all', async () => {
    const { exit, result } = await stillpoint.run(['host', 'add', 'ghost', 'ssh://root@198.18.0.1:9', '--accept-new'])
    expect([exit, result]).toMatchObject([1, { failure: { kind: 'host-unreachable' } }])
  })
})

describe('with a user who may sudo', () => {
  it('everything goes as with root', async () => {
    expect(await add('admin')).toMatchObject({ exit: 0, result: { ok: true } })
    expect((await stillpoint.run(['vm', 'list', 'beta'])).exit).toBe(0)
    expect((await stillpoint.run(['doctor', 'beta'])).exit).toBe(0)
  })

  it('a VM that does not exist is named so', async () => {
    const { exit, result } = await stillpoint.run(['backup', 'beta/no-such-vm'])
    expect([exit, result]).toMatchObject([1, { failure: { kind: 'not-found', what: 'vm', name: 'no-such-vm' } }])
  })

  it('removing the host with --clean leaves nothing of ours but points, and what restores kept aside', async () => {
    const nightly = ['nightly', '--host', 'beta', '--vms', '*', '--calendar', '*-*-* 02:00', '--keep-last', '3']
    expect(await stillpoint.run(['policy', 'add', ...nightly])).toMatchObject({ exit: 0 })
    expect(await beta.must('ls /etc/systemd/system/stillpoint-*')).toContain('stillpoint-policy-')
    expect((await stillpoint.run(['host', 'remove', 'beta', '--clean'])).exit).toBe(0)
    expect(
      await beta.must(
        `find /etc/systemd/system /run/systemd/transient /var/lib/systemd/timers -name '*stillpoint*'
         find /var/lib/stillpoint /run/stillpoint -mindepth 1 -maxdepth 1 ! -name points ! -name aside 2> /dev/null || true`
      )
    ).toBe('')
  })
})
