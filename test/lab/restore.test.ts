import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import { RESTORE_STEPS } from '../../src/engine/restore/restore-plan.ts'
import { BareEngine, restoreSpec } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt, letGo } from './held.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline } from './oracle.ts'
import { must, waitFor } from './run.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot, joinResumed } from './ticks.ts'

const MIB = 1024 * 1024
let alpha: LabHost
let beta: LabHost
let engine: BareEngine
let betaEngine: BareEngine
let guest: Guest
let point: string

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  engine = await BareEngine.on(alpha)
  betaEngine = await BareEngine.on(beta)
  guest = await alpha.defineGuest({ name: 'traveller', ramMiB: 256, disks: 2, fillerMiB: 32, diskMiB: 96, agent: true })
  await guest.start()
  await guest.waitForTick(15)
  await guest.waitForAgent()
  const report = await engine.backup(guest, { method: 'classic' }) // live RAM: docs/decisions/0008
  point = report.point ?? ''
  await copyByHand(alpha, beta, point)
})

afterAll(async () => {
  await removeFrom(beta)
  await guest.destroy()
  await guest.undefine()
})

/** What `copy` will do later over the controller. */
async function copyByHand(from: LabHost, to: LabHost, id: string): Promise<void> {
  const relative = `${DEFAULT_STORE.slice(1)}/${guest.uuid}`
  await to.must(['mkdir', '-p', `/${relative}`])
  await must(['cp', '-a', '--sparse=always', `${from.tree}/${relative}/${id}`, `${to.tree}/${relative}/`])
}

async function removeFrom(host: LabHost): Promise<void> {
  await host.run(
    `virsh destroy ${guest.uuid}; virsh undefine ${guest.uuid} --nvram --managed-save --snapshots-metadata; rm -f /var/lib/libvirt/images/* /var/log/stillpoint-guest/*; rm -rf /var/lib/stillpoint/aside`
  )
}

describe('restoring on another host', () => {
  afterEach(() => removeFrom(beta))

  it('resumes from RAM: the counter goes on without a gap, and the disk agrees', async () => {
    const before = await takeBaseline(beta)
    const report = await betaEngine.restore(point, guest)
    expect(report).toMatchObject({ state: 'done', mode: 'resume', clock: { corrected: true } })
    expect(report.runningMs).toBeGreaterThan(0)
    const there = guest.on(beta)
    await there.waitForMoreTicks(10)
    const ticks = joinResumed(guest.ticks(), there.ticks())
    expect(isContiguous(ticks)).toBe(true)
    expect(isOneBoot(ticks)).toBe(true)
    expect(await leftoversOf(beta, before, { roomTaken: 600 * MIB, restored: [guest.uuid] })).toEqual([])
    const boots = there.boots().length
    await there.command('reboot')
    await waitFor('it to boot again', () => (there.boots().length > boots ? true : undefined))
    await there.waitForMoreTicks(3)
    expect(
      there
        .boots()
        .at(-1)
        ?.disks.map(({ state }) => state)
    ).toEqual(['clean', 'clean'])
  })

  it('boots from the same point with file systems that are sound', async () => {
    const report = await betaEngine.restore(point, guest, { mode: 'boot' })
    expect(report).toMatchObject({ state: 'done', mode: 'boot' })
    const there = guest.on(beta)
    await there.waitForMoreTicks(5)
    expect(
      there
        .boots()
        .at(-1)
        ?.disks.every(({ state }) => state !== 'damaged')
    ).toBe(true)
  })

  it('defines it and leaves it off', async () => {
    const report = await betaEngine.restore(point, guest, { mode: 'define' })
    expect(report).toMatchObject({ state: 'done', mode: 'define' })
    expect(await guest.on(beta).state()).toBe('shut off')
  })

  it('never overwrites a VM unasked, and keeps what it replaces', async () => {
    await betaEngine.restore(point, guest)
    const refused = await betaEngine.restore(point, guest)
    expect(refused).toMatchObject({ state: 'failed-clean', failure: { kind: 'vm-exists', because: 'uuid' } })
    expect(await guest.on(beta).state()).toBe('running')
    const replaced = await betaEngine.restore(point, guest, { replace: true })
    expect(replaced).toMatchObject({ state: 'done-with-warnings', mode: 'resume' })
    const kept = replaced.keptAside ?? []
    expect(kept).toHaveLength(2)
    await beta.must(['ls', ...kept])
    await guest.on(beta).waitForMoreTicks(3)
  })

  it('boots with the reason where the RAM cannot be resumed', async () => {
    await beta.must(`cp -a ${DEFAULT_STORE}/${guest.uuid}/${point} /srv/kept-point`)
    const memory = `${DEFAULT_STORE}/${guest.uuid}/${point}/memory.save`
    try {
      const { stdout } = await beta.run(`python3 - <<'X'
import hashlib,json,os
p='${DEFAULT_STORE}/${guest.uuid}/${point}/'
f=open(p+'memory.save','r+b'); f.seek(200000); f.write(os.urandom(100000)); f.close()
m=json.load(open(p+'manifest.json'))
for e in m['files']:
    if e['path']=='memory.save': e['sha256']=hashlib.sha256(open(p+'memory.save','rb').read()).hexdigest()
json.dump(m,open(p+'manifest.json','w'))
print('ok')
X`)
      expect(stdout, memory).toContain('ok')
      const report = await betaEngine.restore(point, guest)
      expect(report).toMatchObject({ state: 'done-with-warnings', mode: 'boot' })
      expect(report.modeReason).toContain('could not be resumed')
      await guest.on(beta).waitForMoreTicks(5)
    } finally {
      await beta.must(
        `rm -rf ${DEFAULT_STORE}/${guest.uuid}/${point}; mv /srv/kept-point ${DEFAULT_STORE}/${guest.uuid}/${point}`
      )
    }
  })

  it.each([
    ['one flipped byte', 'printf x | dd of=disks/vda.qcow2 bs=1 seek=400000 conv=notrunc status=none', 'point-damaged'],
    ['a missing file', 'rm disks/vdb.qcow2', 'point-damaged'],
    ['a foreign backing file', 'qemu-img rebase -u -f qcow2 -b /etc/shadow -F raw disks/vda.qcow2', 'point-damaged'],
    ['a manifest of another version', `sed -i 's/"version": *1/"version": 9/' manifest.json`, 'point-format']
  ])('refuses a point with %s before it touches anything', async (_what, damage, kind) => {
    const before = await takeBaseline(beta)
    const dir = `${DEFAULT_STORE}/${guest.uuid}/${point}`
    await beta.must(`cp -a ${dir} /srv/kept-point; cd ${dir}; ${damage}`)
    try {
      const report = await betaEngine.restore(point, guest)
      expect(report.state).toBe('failed-clean')
      expect([kind, 'point-unsafe', 'not-found']).toContain(report.failure?.kind)
      expect((await beta.run(`virsh domstate ${guest.uuid}`)).exitCode).not.toBe(0)
    } finally {
      await beta.must(`rm -rf ${dir}; mv /srv/kept-point ${dir}`)
    }
    expect(await leftoversOf(beta, before)).toEqual([])
  })
})

describe('a VM that dies as soon as it runs again', () => {
  it('is started once more before its restore ends, which says so', async () => {
    await removeFrom(beta)
    const id = await betaEngine.submit(restoreSpec(beta, point, guest), 'settle:1:hold')
    await heldAt(beta, 'settle', id)
    await beta.must(`kill -9 $(cat /run/libvirt/qemu/${guest.name}.pid)`)
    await waitFor('its end', async () => ((await guest.on(beta).state()) === 'shut off' ? true : undefined))
    await letGo(beta, 'settle', id)
    expect(await betaEngine.endOf(id)).toMatchObject({ state: 'done-with-warnings', mode: 'boot' })
    expect(await guest.on(beta).state()).toBe('running')
    await guest.on(beta).waitForMoreTicks(3)
  })
})

describe('a restore whose engine is killed', () => {
  it.each(RESTORE_STEPS.flatMap((step) => [step, `${step}.done`]))(
    'is undone, or finished, after a kill at %s',
    async (at) => {
      await removeFrom(beta)
      await betaEngine.restore(point, guest, { mode: 'boot' })
      const before = await takeBaseline(beta)
      const report = await betaEngine.restore(point, guest, { replace: true }, `${at}:1:kill`)
      if (report.state === 'failed-clean') {
        expect(await guest.on(beta).state()).toBe('running')
        expect(await leftoversOf(beta, before, { roomTaken: 600 * MIB })).toEqual([])
      } else {
        expect(report.state).toBe('done-with-warnings')
        expect(await guest.on(beta).state()).toBe('running')
      }
      await guest.on(beta).waitForMoreTicks(3)
    }
  )
})
