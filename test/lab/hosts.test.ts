import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline } from './oracle.ts'
import { QEMU_SETTINGS, qemuSettings } from './root-tree.ts'
import { waitFor } from './run.ts'
import { Stillpoint } from './stillpoint.ts'
import { testLab } from './test-lab.ts'

const MIB = 1024 * 1024
const PROGRAMS = '/usr/local/libexec/stillpoint'
const DROP_IN = '/etc/systemd/system/service.d/90-lab.conf'
const RECOVERY = ['systemctl', 'show', '-p', 'ExecStart', '--value', 'stillpoint-recover.service'] as const
const stillpoint = new Stillpoint()
let alpha: LabHost
let beta: LabHost

beforeAll(() => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
})
afterAll(async () => {
  await forget(alpha)
  stillpoint.remove()
})

/** Nothing of ours is on it any more. */
async function forget(host: LabHost): Promise<void> {
  await stillpoint.run(['host', 'remove', host.name, '--clean'])
  await host.run(['rm', '-rf', PROGRAMS, '/var/lib/stillpoint/points'])
}

async function whileForbidden<T>(paths: string, work: () => Promise<T>): Promise<T> {
  await beta.writeFile(DROP_IN, `[Service]\nNoExecPaths=${paths}\n`)
  await beta.must(['systemctl', 'daemon-reload'])
  try {
    return await work()
  } finally {
    await beta.must(`rm ${DROP_IN}; rmdir --ignore-fail-on-non-empty "$(dirname ${DROP_IN})"; systemctl daemon-reload`)
  }
}

// field-cases.md case 18. SELinux itself is in no lab: a rule for all services has the same symptom, 203/EXEC.
describe('a host whose systemd starts nothing below /var', () => {
  it('has the runtime elsewhere, and its jobs run', async () => {
    const guest = await beta.defineGuest({ name: 'closed', ramMiB: 128 })
    try {
      await whileForbidden('/var/lib/stillpoint', async () => {
        expect(await stillpoint.add(beta, '--accept-new')).toMatchObject({ exit: 0, result: { ok: true } })
        expect(await beta.must([...RECOVERY])).toContain(`path=${PROGRAMS}/bin/`)
        expect(await stillpoint.run(['backup', 'beta/closed'])).toMatchObject({
          exit: 0,
          result: { method: 'offline' }
        })
        const { result } = await stillpoint.run(['host', 'probe', 'beta'])
        expect(result['checks']).toContainEqual(expect.objectContaining({ check: 'services', state: 'ok' }))
      })
    } finally {
      await guest.undefine()
      await forget(beta)
    }
  })

  it('is found out when it is added again, where the runtime lay below /var before', async () => {
    try {
      expect(await stillpoint.add(beta, '--accept-new')).toMatchObject({ exit: 0 })
      expect(await beta.must([...RECOVERY])).toContain('path=/var/lib/stillpoint/runtime/')
      await whileForbidden('/var/lib/stillpoint', async () => {
        const { result } = await stillpoint.run(['host', 'probe', 'beta'])
        expect(result['checks']).toContainEqual(
          expect.objectContaining({
            check: 'services',
            state: 'problem',
            text: expect.stringContaining(`${DROP_IN}: NoExecPaths=/var/lib/stillpoint`) as string
          })
        )
        expect(await stillpoint.add(beta, '--accept-new')).toMatchObject({ exit: 0 })
        expect(await beta.must([...RECOVERY])).toContain(`path=${PROGRAMS}/bin/`)
      })
    } finally {
      await forget(beta)
    }
  })

  it('and nowhere else is refused with the rule that forbids it, not remembered, and left as it was', async () => {
    const ours = '/var/lib/stillpoint /etc/systemd/system/stillpoint-*'
    await beta.run(`rm -rf ${ours} ${PROGRAMS}; systemctl daemon-reload`)
    try {
      await whileForbidden('/var /usr/local', async () => {
        const { exit, result } = await stillpoint.add(beta, '--accept-new')
        expect([exit, result]).toMatchObject([
          1,
          { failure: { kind: 'unsupported-host', fix: expect.stringContaining('ExecPaths=') as string } }
        ])
        expect(JSON.stringify(result)).toContain(DROP_IN)
        expect((await stillpoint.run(['host', 'list'])).result['hosts']).toEqual([])
        expect(await beta.must(`ls -d ${ours} ${PROGRAMS} 2>/dev/null || true`)).toBe('')
      })
    } finally {
      await beta.run(['rm', '-rf', PROGRAMS])
      await stillpoint.add(beta, '--accept-new')
      await forget(beta)
    }
  })

  it('because it is mounted noexec has the runtime elsewhere too', async () => {
    await beta.must('mkdir -p /var/lib/stillpoint && mount --bind /var/lib/stillpoint /var/lib/stillpoint')
    await beta.must('mount -o remount,bind,noexec /var/lib/stillpoint')
    try {
      expect(await stillpoint.add(beta, '--accept-new')).toMatchObject({ exit: 0 })
      expect(await beta.must([...RECOVERY])).toContain(`path=${PROGRAMS}/bin/`)
    } finally {
      await forget(beta)
      await beta.run(['umount', '/var/lib/stillpoint'])
    }
  })
})

describe('VMs of users’ own libvirt', () => {
  it('are named as not looked after, whatever their names hold', async () => {
    const folder = '/home/anna/.config/libvirt/qemu'
    await alpha.must(['mkdir', '-p', folder])
    await alpha.must(['touch', `${folder}/web 1.xml`, `${folder}/a\nmark x.xml`, `${folder}/not-one.txt`])
    try {
      await stillpoint.add(alpha, '--accept-new')
      const { result } = await stillpoint.run(['vm', 'list', 'alpha'])
      expect(result['sessionVms']).toEqual([
        { host: 'alpha', user: 'root', name: 'a?mark x', isRunning: false },
        { host: 'alpha', user: 'root', name: 'web 1', isRunning: false }
      ])
      const probe = await stillpoint.run(['host', 'probe', 'alpha'])
      expect(probe.result['checks']).toContainEqual(expect.objectContaining({ check: 'session VMs', state: 'warning' }))
    } finally {
      await alpha.run(['rm', '-rf', '/home/anna'])
    }
  })
})

describe('an image behind a symbolic link', () => {
  it('is backed up through it and comes back in the place of the link, and the file behind it stays', async () => {
    const guest = await alpha.defineGuest({ name: 'linked', ramMiB: 128, diskMiB: 48 })
    const [link = ''] = guest.disks.map(({ path }) => path)
    const real = `/srv/elsewhere/${guest.uuid}.qcow2`
    await alpha.must(['mkdir', '-p', '/srv/elsewhere'])
    await alpha.must(['mv', link, real])
    await alpha.must(['ln', '-s', real, link])
    try {
      await stillpoint.add(alpha, '--accept-new')
      await guest.start()
      await guest.waitForTick(5)
      const before = await takeBaseline(alpha)
      const { exit, result } = await stillpoint.run(['backup', 'alpha/linked'])
      expect([exit, result]).toMatchObject([0, { method: 'live', hasMemory: true }])
      expect(await leftoversOf(alpha, before, { roomTaken: 600 * MIB })).toEqual([])
      expect((await alpha.must(['readlink', link])).trim()).toBe(real)
      await guest.waitForMoreTicks(3)

      const point = String(result['id'])
      const check = await stillpoint.run(['restore', point, '--to', 'alpha', '--replace', '--check'])
      expect(JSON.stringify(check.result)).toContain(`${link} is a symbolic link to it, and the link alone makes way`)
      const restored = await stillpoint.run(['restore', point, '--to', 'alpha', '--replace'])
      expect([restored.exit, restored.result]).toMatchObject([3, { ok: true, mode: 'resume' }])
      expect((await alpha.must(['stat', '-c', '%F', link])).trim()).toBe('regular file')
      expect((await alpha.must(['stat', '-c', '%F', real])).trim()).toBe('regular file')
      await guest.waitForMoreTicks(3)
    } finally {
      await remove(guest, `${link}* /srv/elsewhere`)
    }
  })
})

// field-cases.md case 16, where libvirt leaves owners alone: what is not given to QEMU cannot be opened by it.
describe.each([
  { name: 'alpha', methods: ['live', 'disk', 'classic'] },
  { name: 'gamma', methods: ['live'] }
])('a host with dynamic_ownership = 0 ($name)', ({ name, methods }) => {
  const slow = '/usr/local/sbin/virsh'
  let guest: Guest
  let image = ''
  let host: LabHost

  beforeAll(async () => {
    host = testLab().host(name)
    await host.writeFile(QEMU_SETTINGS, `${qemuSettings('stock')}dynamic_ownership = 0\n`)
    await host.must('systemctl restart libvirtd && virsh -q uri')
    guest = await host.defineGuest({ name: 'owned', ramMiB: 128, diskMiB: 48 })
    image = guest.disks[0]?.path ?? ''
    await host.must(['chown', 'libvirt-qemu:libvirt-qemu', image])
    await host.must(['chmod', '660', image])
    await stillpoint.add(host, '--accept-new')
    await guest.start()
    await guest.waitForTick(5)
  })
  afterAll(async () => {
    await remove(guest, `${image}* ${slow}`)
    await forget(host)
    await host.writeFile(QEMU_SETTINGS, qemuSettings('stock'))
    await host.must('systemctl restart libvirtd && virsh -q uri')
  })

  it.each(methods)('backs up by method %s, and a VM runs from what is restored', async (method) => {
    const before = await takeBaseline(host)
    const { exit, result } = await stillpoint.run(['backup', `${name}/owned`, '--method', method])
    expect([exit, result]).toMatchObject([0, { method, hasMemory: method !== 'disk' }])
    expect(await leftoversOf(host, before, { roomTaken: 600 * MIB })).toEqual([])
    await guest.waitForMoreTicks(3)
    const restored = await stillpoint.run(['restore', String(result['id']), '--to', name, '--replace'])
    expect([restored.exit, restored.result]).toMatchObject([
      3,
      { ok: true, mode: method === 'disk' ? 'boot' : 'resume' }
    ])
    expect((await host.must(['stat', '-c', '%U %a', image])).trim()).toBe('libvirt-qemu 660')
    await guest.waitForMoreTicks(3)
  })

  it('has nothing of a backup that is killed before libvirt has taken the overlay', async () => {
    const before = await takeBaseline(host)
    const script = 'case $1 in snapshot-create-as) touch /tmp/held; exec sleep 600 ;; esac; exec /usr/bin/virsh "$@"'
    await host.writeFile(slow, `#!/bin/sh\n${script}\n`)
    await host.must(['chmod', '755', slow])
    const backup = stillpoint.run(['backup', `${name}/owned`])
    await waitFor('the snapshot to be asked for', async () =>
      (await host.run(['test', '-e', '/tmp/held'])).exitCode === 0 ? true : undefined
    )
    expect(await host.must(`ls ${image}.stillpoint-*`)).not.toBe('')
    await host.must(['rm', slow, '/tmp/held'])
    await host.must(['systemctl', 'kill', '--kill-who=main', '--signal=KILL', 'stillpoint-job-*'])
    expect((await backup).exit).toBe(1)
    expect(await leftoversOf(host, before, { roomTaken: 64 * MIB })).toEqual([])
    await guest.waitForMoreTicks(3)
  })
})

async function remove(guest: Guest, files: string): Promise<void> {
  await guest.host.run(`virsh destroy ${guest.uuid}; rm -rf ${files} /var/lib/stillpoint/aside`)
  await guest.undefine()
}
