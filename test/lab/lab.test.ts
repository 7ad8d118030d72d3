import { existsSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { Guest, GuestOptions } from './guest.ts'
import type { LabHost } from './host.ts'
import { startLab } from './lab.ts'
import { labFolder } from './places.ts'
import { run, waitFor } from './run.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot, joinResumed } from './ticks.ts'

const lab = testLab()
const alpha = lab.host('alpha')
const beta = lab.host('beta')
/** gamma has another Debian; without it one resume less is tried. */
const targets = lab.hosts.map(({ name }) => name).filter((name) => name === 'beta' || name === 'gamma')
const guests: Guest[] = []

async function startedGuest(host: LabHost, options: Partial<GuestOptions> = {}): Promise<Guest> {
  const guest = await host.defineGuest({ name: `guest-${guests.length}`, ...options })
  guests.push(guest)
  await guest.start()
  await guest.waitForTick(5)
  return guest
}

afterEach(async () => {
  for (const guest of guests.splice(0)) {
    for (const host of lab.hosts) {
      await host.run(['virsh', 'destroy', guest.uuid])
      if ((await host.run(['virsh', 'dominfo', guest.uuid])).exitCode === 0) await guest.on(host).undefine()
      else await host.run(`rm -f /var/log/stillpoint-guest/${guest.uuid}.log /var/lib/libvirt/images/${guest.uuid}*`)
    }
  }
})

function ssh(host: LabHost, user: string, command: string) {
  const trust = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'ConnectTimeout=3']
  return run(['ssh', ...trust, '-i', host.identityFile, `${user}@${host.address}`, command])
}

/** The recipe of docs: RAM and disks at one instant, the overlays folded back; everything lands in `folder`. */
async function captureLive(guest: Guest, folder: string): Promise<void> {
  const { host, uuid } = guest
  const specs = guest.disks.map(
    ({ target }) => `--diskspec ${target},snapshot=external,file=${folder}/${target}.overlay`
  )
  const memory = `--memspec file=${folder}/memory.save,snapshot=external`
  const commits = guest.disks.map(({ target }) => `virsh -q blockcommit ${uuid} ${target} --active --pivot --wait`)
  const copies = guest.disks.map(({ target, path }) => `cp --sparse=always ${path} ${folder}/${target}.image`)
  await host.must(`set -e; mkdir -p ${folder}
    virsh -q snapshot-create-as ${uuid} point ${memory} ${specs.join(' ')} --live --atomic --no-metadata
    ${copies.join('\n')}
    ${commits.join('\n')}`)
}

/** Loads a captured point on another host, where the disks' paths are the same as on the first. */
async function resumeOn(host: LabHost, guest: Guest, folder: string): Promise<Guest> {
  const from = guest.host.tree + folder
  await host.must(['mkdir', '-p', folder])
  const trust = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'
  await run(['sh', '-c', `scp -q ${trust} -i ${lab.identityFile} ${from}/* root@${host.address}:${folder}/`])
  for (const { target, path } of guest.disks) await host.must(['cp', `${folder}/${target}.image`, path])
  await host.must(['virsh', '-q', 'restore', `${folder}/memory.save`, '--running'])
  return guest.on(host)
}

describe('a host of the lab', () => {
  it('lets root and admin become root, and nosudo not', async () => {
    expect((await ssh(alpha, 'root', 'id -u')).stdout).toBe('0\n')
    expect((await ssh(alpha, 'admin', 'sudo -n id -u')).stdout).toBe('0\n')
    expect((await ssh(alpha, 'nosudo', 'sudo -n id -u')).exitCode).not.toBe(0)
  })

  it('starts clean: no Node.js, nothing of ours, no domains, and a marker', async () => {
    expect((await alpha.run('command -v node')).exitCode).not.toBe(0)
    expect((await alpha.run('ls /work /var/lib/stillpoint')).exitCode).not.toBe(0)
    expect(await alpha.readFile('/etc/stillpoint-lab')).toContain('lab')
    expect(existsSync('/etc/stillpoint-lab')).toBe(false)
  })

  it('shows the host key that its server has', async () => {
    const scanned = await run(['ssh-keyscan', '-t', 'ed25519', beta.address])
    expect(scanned.stdout).toContain(beta.hostKey)
  })

  it('has small file systems that run full', async () => {
    await alpha.mountSmall('/mnt/small', 8)
    const filling = await alpha.run('head -c 9M /dev/zero > /mnt/small/file')
    await alpha.unmount('/mnt/small')
    expect(filling.stderr).toContain('No space left')
  })

  it('keeps its files over a crash and gets another boot id', async () => {
    await beta.writeFile('/root/kept', 'yes')
    const bootId = await beta.readFile('/proc/sys/kernel/random/boot_id')
    await beta.reset()
    expect(await beta.readFile('/root/kept')).toBe('yes')
    expect(await beta.readFile('/proc/sys/kernel/random/boot_id')).not.toBe(bootId)
  })

  it('comes back from a rebuild with the same address, another key and nothing of the old', async () => {
    await beta.writeFile('/root/lost', 'yes')
    const { address, hostKeySha256 } = beta
    await beta.rebuild()
    expect(beta.address).toBe(address)
    expect(beta.hostKeySha256).not.toBe(hostKeySha256)
    expect((await beta.run('ls /root/lost')).exitCode).not.toBe(0)
    expect((await ssh(beta, 'root', 'true')).exitCode).toBe(0)
  })

  it('cannot be reached while its cable is out', async () => {
    await beta.cutNetwork()
    const cut = await ssh(beta, 'root', 'true')
    await beta.restoreNetwork()
    expect(cut.exitCode).toBe(255)
    expect((await ssh(beta, 'root', 'true')).exitCode).toBe(0)
  })
})

describe('a guest', () => {
  it('ticks without a gap, and the disk knows the last tick after the plug was pulled', async () => {
    const guest = await startedGuest(alpha, { disks: 2 })
    await guest.waitForTick(30)
    await guest.destroy()
    const last = guest.lastTick()?.counter ?? 0
    expect(isContiguous(guest.ticks())).toBe(true)
    await guest.start()
    await guest.waitForTick(last + 5)
    const boot = guest.boots().at(-1)
    expect(boot?.disks.map((disk) => disk.state)).toEqual(['recovered', 'recovered'])
    for (const disk of boot?.disks ?? []) expect(Math.abs(disk.lastTick - last)).toBeLessThanOrEqual(1)
    expect(guest.boots()).toHaveLength(2)
  })

  it('leaves clean disks when it is shut down', async () => {
    const guest = await startedGuest(alpha)
    await guest.shutdown()
    await guest.start()
    await guest.waitForMoreTicks()
    expect(
      guest
        .boots()
        .at(-1)
        ?.disks.map((disk) => disk.state)
    ).toEqual(['clean'])
  })

  it.each(targets)('resumes on %s from RAM and disks of one instant, in the middle of its count', async (target) => {
    const guest = await startedGuest(alpha, { disks: 2, checking: true, ramMiB: 320 })
    const before = guest.lastTick()?.counter ?? 0
    const folder = `/var/lib/point-${guest.uuid}`
    await captureLive(guest, folder)
    const after = guest.lastTick()?.counter ?? 0
    await guest.waitForMoreTicks(10)
    expect(isContiguous(guest.ticks())).toBe(true)
    await guest.destroy()

    const resumed = await resumeOn(lab.host(target), guest, folder)
    await resumed.waitForMoreTicks(10)
    const life = joinResumed(guest.ticks(), resumed.ticks())
    expect(isContiguous(life)).toBe(true)
    expect(isOneBoot(life)).toBe(true)
    const first = resumed.ticks()[0]?.counter ?? 0
    expect(first).toBeGreaterThan(before)
    expect(first).toBeLessThanOrEqual(after + 2)
    const report = await resumed.requestVerify()
    expect(report).toMatchObject({ ok: true, against: 'ram' })
  })

  it('notices by its checksums when a disk is not of the same instant as RAM', async () => {
    const guest = await startedGuest(alpha, { checking: true, ramMiB: 320 })
    await guest.waitForMoreTicks(15)
    await guest.virsh('suspend', guest.uuid)
    await alpha.must(['cp', guest.disks[0]?.path ?? '', '/root/old.image'])
    await guest.virsh('resume', guest.uuid)
    await guest.waitForMoreTicks(15)
    await guest.virsh('save', guest.uuid, '/root/memory.save')
    await alpha.must(['cp', '/root/old.image', guest.disks[0]?.path ?? ''])
    await guest.virsh('restore', '/root/memory.save', '--running')
    expect((await guest.requestVerify()).ok).toBe(false)
  })

  it('freezes its file systems for the agent, and thaws', async () => {
    const guest = await startedGuest(alpha, { agent: true })
    await guest.waitForAgent()
    await guest.virsh('domfsfreeze', guest.uuid)
    const frozenAt = guest.lastTick()?.counter
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(guest.lastTick()?.counter).toBeLessThanOrEqual((frozenAt ?? 0) + 1)
    await guest.virsh('domfsthaw', guest.uuid)
    await guest.waitForMoreTicks()
    await guest.virsh('domtime', guest.uuid, '--sync')
  })

  it('rewrites as much RAM as it was told, at the rate it was told', async () => {
    const rewrite = { mib: 1229, mibPerSecond: 50 }
    const guest = await startedGuest(alpha, { ramMiB: 2048, rewrite })
    await guest.waitForRewriting()
    // On a busy machine it takes a while until a guest gets what that needs.
    await waitFor('the rate', () => ((guest.rewriteRates().at(-1) ?? 0) >= 47 ? true : undefined))
    expect(Math.max(...guest.rewriteRates())).toBeLessThanOrEqual(60)
    await waitFor('QEMU to see it', async () => ((await dirtyRate(guest)) >= 25 ? true : undefined)) // it samples a few pages
  })
})

/** MiB per second, as QEMU finds them over two seconds. */
async function dirtyRate(guest: Guest): Promise<number> {
  await guest.virsh('qemu-monitor-command', guest.uuid, '{"execute":"calc-dirty-rate","arguments":{"calc-time":2}}')
  return waitFor('QEMU to have measured', async () => {
    const said = await guest.virsh('qemu-monitor-command', guest.uuid, '{"execute":"query-dirty-rate"}')
    const rate = /"dirty-rate":(\d+)/.exec(said)?.[1]
    return rate === undefined || !said.includes('"measured"') ? undefined : Number(rate)
  })
}

describe('taking a lab down', () => {
  it('leaves neither mounts nor namespaces nor links nor files', async () => {
    const other = await startLab({ name: 'labdown', hosts: ['solo'] })
    const guest = await other.host('solo').defineGuest({ name: 'running' })
    await guest.start()
    await guest.waitForTick(1)
    expect(await tracesOf('labdown')).not.toBe('')
    await other.stop()
    expect(await tracesOf('labdown')).toBe('')
  })
})

async function tracesOf(name: string): Promise<string> {
  const places = `grep -h ${name} /proc/mounts; ip netns list | grep ${name}; grep -lx 'stillpoint-lab ${name}' /sys/class/net/*/ifalias`
  const more = `ls -d ${labFolder(name)} /run/systemd/nspawn/propagate/sp-${name}-* /sys/fs/cgroup/unified/sp-${name}-* 2>/dev/null`
  return (await run(['sh', '-c', `${places}; ${more}; true`])).stdout
}
