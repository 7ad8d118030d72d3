import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { agentAnswers, freeze, guestTimeMs, setTimeSync, thaw } from '../../src/libvirt/agent.ts'
import {
  blockCommitActive,
  blockCopy,
  blockJobAbort,
  blockJobInfo,
  blockJobReady
} from '../../src/libvirt/block-jobs.ts'
import { abortJob, completedJob, jobInfo, setMaxDowntime } from '../../src/libvirt/domain-jobs.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import {
  domainByName,
  domainInfo,
  domainState,
  domainXml,
  listDomains,
  resumeDomain,
  suspendDomain
} from '../../src/libvirt/domains.ts'
import { watchStopResume, type StopResumeEvent } from '../../src/libvirt/events.ts'
import { domainCapabilities, hostVersions } from '../../src/libvirt/host.ts'
import { takeInventory } from '../../src/libvirt/inventory.ts'
import { networkState, networkXml } from '../../src/libvirt/networks.ts'
import { checkImage, convert, createOverlay, imageChain, imageInfo } from '../../src/libvirt/qemu-img.ts'
import { restoreDomain, saveDomain, saveImageXml } from '../../src/libvirt/save-image.ts'
import { snapshotCreateAs } from '../../src/libvirt/snapshot.ts'
import { virsh, virshBatch } from '../../src/libvirt/virsh.ts'
import { failureOf } from '../../src/shared/failure.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { eventually } from '../patience.ts'
import type { Guest } from './guest.ts'
import { labShell } from './lab-shell.ts'
import { defineNamed, NASTY_NAMES, type NamedDomains } from './nasty-names.ts'
import { testLab } from './test-lab.ts'

const UNKNOWN = '00000000-0000-4000-8000-000000000000'
const IMAGES = '/var/lib/libvirt/images'
const failureFrom = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined, failureOf)

/** Counts the round trips through a shell. */
function counted(shell: Shell): { shell: Shell; trips: () => number } {
  let trips = 0
  return {
    trips: () => trips,
    shell: {
      label: shell.label,
      run: (argv, options) => {
        trips += 1
        return shell.run(argv, options)
      }
    }
  }
}

// Every host of the lab, so that with STILLPOINT_LAB_TRIXIE=1 libvirt 9.0 and 11.3 are both held to it.
const hosts = testLab().hosts.filter(({ name }) => name !== 'beta')

describe.each(hosts.map((host) => [`${host.name} (${host.base})`, host] as const))('libvirt on %s', (_name, host) => {
  const shell = labShell(host)

  describe('with fifty VMs, some of nasty names', () => {
    const plain = Array.from({ length: 50 - NASTY_NAMES.length }, (_, index) => `plain ${index}`)
    let named: NamedDomains
    beforeAll(async () => {
      named = await defineNamed(shell, [...NASTY_NAMES, ...plain])
    })
    afterAll(() => named.remove())

    it('takes the whole inventory in one round trip', async () => {
      const { shell: watched, trips } = counted(shell)
      const began = performance.now()
      const inventory = await takeInventory(watched)
      console.log(`inventory of ${inventory.domains.length} VMs: ${Math.round(performance.now() - began)} ms`)
      expect(trips()).toBe(1)
      const found = new Map(inventory.domains.map(({ name, uuid }) => [name, uuid]))
      for (const [name, uuid] of named.uuids) expect(found.get(name)).toBe(uuid)
      expect(inventory).toMatchObject({ hostname: host.name, architecture: 'x86_64' })
      expect(inventory.machineId).toMatch(/^[0-9a-f]{32}$/)
      expect(inventory.load).toBeGreaterThanOrEqual(0)
      expect(inventory.space.map(({ path }) => path)).toContain(IMAGES)
    })

    it('takes less time for fifty VMs than ten single calls', async () => {
      // The shorter of three: this machine has other things to do.
      const time = async (work: () => Promise<unknown>): Promise<number> => {
        const taken: number[] = []
        for (let n = 0; n < 3; n++) {
          const began = performance.now()
          await work()
          taken.push(performance.now() - began)
        }
        return Math.min(...taken)
      }
      const uuids = (await listDomains(shell)).slice(0, 10)
      const single = await time(async () => {
        for (const uuid of uuids) {
          await domainState(shell, uuid)
          await domainInfo(shell, uuid)
          await domainXml(shell, uuid)
        }
      })
      expect(await time(() => takeInventory(shell))).toBeLessThan(single * 1.5)
    })

    it('finds each by its exact name, and runs nothing of it', async () => {
      for (const [name, uuid] of named.uuids) expect(await domainByName(shell, name)).toBe(uuid)
      expect(await domainByName(shell, 'no such VM')).toBeUndefined()
      const { exitCode } = await shell.run(['sh', '-c', 'ls / /root /tmp | grep stillpoint-x'])
      expect(exitCode).toBe(1)
    })
  })

  describe('virsh itself', () => {
    const words = [
      'a b',
      "it's",
      '"',
      '\\',
      'a\\',
      "\\'",
      '',
      ';',
      '#',
      '$HOME',
      '`id`',
      'two\nlines',
      '\t',
      '🦆',
      "''"
    ]

    it('gets each word as it is, in a batch', async () => {
      const answers = await virshBatch(
        shell,
        words.map((word) => ['echo', '--', `<${word}>`] as const)
      )
      expect(answers.map(({ stdout }) => stdout)).toEqual(words.map((word) => `<${word}>\n`))
    })

    it('gets each word as it is, alone', async () => {
      for (const word of words) {
        const { stdout } = await virsh(shell, ['echo', '--', `<${word}>`])
        expect(stdout.trimEnd()).toBe(`<${word}>`)
      }
    })

    it('says which of several commands failed, and runs the others', async () => {
      const answers = await virshBatch(shell, [['hostname'], ['domstate', UNKNOWN], ['hostname']])
      expect(answers.map(({ failed }) => failed)).toEqual([false, true, false])
      expect(answers[1]?.stderr).toMatch(/failed to get domain/)
    })

    it('tells an unknown VM from a libvirt that cannot be asked', async () => {
      expect(await domainState(shell, UNKNOWN)).toBeUndefined()
      expect(await jobInfo(shell, UNKNOWN)).toBeUndefined()
      const nowhere = {
        ...shell,
        run: (argv, options) => shell.run(argv, { ...options, env: { LIBVIRT_DEFAULT_URI: 'qemu:///nowhere' } })
      } satisfies Shell
      expect(await failureFrom(domainState(nowhere, UNKNOWN))).toMatchObject({ kind: 'command-failed' })
      expect(await failureFrom(jobInfo(nowhere, UNKNOWN))).toMatchObject({ kind: 'command-failed' })
    })

    it('knows the host', async () => {
      expect((await hostVersions(shell)).libvirt).toMatch(/^\d+\.\d+\.\d+$/)
      expect(await domainCapabilities(shell, { virtType: 'qemu', arch: 'x86_64', machine: 'pc' })).toBeDefined()
      expect(
        await domainCapabilities(shell, { virtType: 'qemu', arch: 'x86_64', machine: 'pc-i440fx-99' })
      ).toBeUndefined()
      expect(await networkState(shell, 'default')).toBe('active')
      expect(await networkXml(shell, '--help')).toBeUndefined()
    })
  })

  describe('with a running guest', () => {
    const files = ['memory', 'overlay, with "comma"; and more', 'copy', 'raw'].map((name) => `${IMAGES}/t ${name}`)
    const [memory = '', overlay = '', copy = '', raw = ''] = files
    let guest: Guest
    let uuid: string
    beforeAll(async () => {
      guest = await host.defineGuest({ name: `g ${randomUUID()}`, disks: 2, agent: true })
      uuid = guest.uuid
      await guest.start()
      await guest.waitForTick(5)
      await guest.waitForAgent()
    })
    afterEach(() => shell.run(['rm', '-f', ...files]))
    afterAll(async () => {
      await guest.destroy()
      await guest.undefine()
    })

    const source = async (target: string): Promise<string | undefined> =>
      parseDomain(await domainXml(shell, uuid)).disks.find((disk) => disk.target === target)?.source

    it('reports every stop and resume with the time QEMU stamped, through save and restore', async () => {
      const events: StopResumeEvent[] = []
      const stop = new AbortController()
      const watch = await watchStopResume(shell, uuid, (event) => void events.push(event), stop.signal)
      const before = Date.now() * 1000
      await suspendDomain(shell, uuid)
      await resumeDomain(shell, uuid)
      await saveDomain(shell, uuid, memory)
      await restoreDomain(shell, memory, { state: 'running' })
      await suspendDomain(shell, uuid)
      await resumeDomain(shell, uuid)
      await resumeDomain(shell, uuid) // runs already: no error
      await eventually(() => expect(events.map(({ event }) => event)).toEqual(Array(3).fill(['STOP', 'RESUME']).flat()))
      stop.abort()
      expect(watch.confirmed).toBe(true)
      expect(await watch.ended).toBeUndefined()
      expect(events.every(({ domainName }) => domainName === guest.name)).toBe(true)
      const times = events.map(({ atMicros }) => atMicros)
      expect(times).toEqual(times.toSorted((a, b) => a - b))
      expect(times[0]).toBeGreaterThan(before - 1000)
      expect(times.some((micros) => micros % 1000 !== 0)).toBe(true)
    })

    it('misses no stop that follows the confirmation at once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const events: string[] = []
        const stop = new AbortController()
        const watch = await watchStopResume(shell, uuid, ({ event }) => void events.push(event), stop.signal)
        await suspendDomain(shell, uuid)
        await resumeDomain(shell, uuid)
        await eventually(() => expect(events).toEqual(['STOP', 'RESUME']))
        stop.abort()
        await watch.ended
      }
    })

    it('refuses to watch a VM that is not there', async () => {
      const watch = watchStopResume(shell, UNKNOWN, () => undefined, new AbortController().signal)
      expect(await failureFrom(watch)).toMatchObject({
        kind: 'command-failed',
        stderr: expect.stringContaining('failed to get domain') as string
      })
    })

    it('captures RAM and a disk behind a path with commas, and folds the overlay back', async () => {
      const original = await source('vda')
      await snapshotCreateAs(shell, uuid, {
        name: 'stillpoint',
        memoryFile: memory,
        disks: [
          { target: 'vda', overlay },
          { target: 'vdb', skip: true }
        ],
        live: true
      })
      expect(await source('vda')).toBe(overlay)
      expect(await completedJob(shell, uuid)).toMatchObject({
        operation: 'snapshot',
        downtimeMs: expect.any(Number) as number
      })
      expect(parseDomain(await saveImageXml(shell, memory)).uuid).toBe(uuid)
      expect((await imageInfo(shell, overlay, { format: 'qcow2' })).backingFile).toBe(original)
      expect((await imageChain(shell, overlay, { format: 'qcow2' })).map(({ path }) => path)).toEqual([
        overlay,
        original
      ])
      await blockCommitActive(shell, uuid, 'vda', overlay)
      expect(await blockJobReady(shell, uuid, 'vda', 'active-commit')).toBe('ready')
      expect(await blockJobInfo(shell, uuid, 'vda')).toMatchObject({ kind: 'active-commit', ready: true })
      expect((await takeInventory(shell)).domains.find((each) => each.uuid === uuid)?.blockJobs).toEqual([
        'vda: active commit'
      ])
      await blockJobAbort(shell, uuid, 'vda', { pivot: true })
      expect(await source('vda')).toBe(original)
      expect(await blockJobInfo(shell, uuid, 'vda')).toBeUndefined()
    })

    it('mirrors a disk, and converts and checks what comes of it', async () => {
      await blockCopy(shell, uuid, 'vdb', { destination: copy, format: 'qcow2' })
      expect(await blockJobReady(shell, uuid, 'vdb', 'copy')).toBe('ready')
      await blockJobAbort(shell, uuid, 'vdb')
      expect(await checkImage(shell, copy, 'qcow2')).toMatchObject({ corruptions: 0, supported: true })
      const fractions: number[] = []
      await convert(shell, {
        source: { path: copy, format: 'qcow2' },
        target: { path: raw, format: 'raw' },
        onProgress: (fraction) => void fractions.push(fraction)
      })
      expect(fractions.at(-1)).toBe(1)
      expect(await checkImage(shell, raw, 'raw')).toMatchObject({ supported: false })
      await createOverlay(shell, overlay, { backing: { file: copy, format: 'qcow2' }, virtualSizeBytes: 1 << 20 })
      expect(await imageInfo(shell, overlay, { format: 'qcow2' })).toMatchObject({
        backingFile: copy,
        backingFormat: 'qcow2'
      })
    })

    it('talks with the guest agent', async () => {
      expect(await agentAnswers(shell, uuid)).toBe(true)
      expect(await freeze(shell, uuid)).toBe(2)
      expect(await thaw(shell, uuid)).toBe(2)
      await setTimeSync(shell, uuid)
      const before = Date.now()
      const told = await guestTimeMs(shell, uuid)
      expect([told > before - 5000, told < Date.now() + 5000]).toEqual([true, true])
    })

    it('knows when there is no job', async () => {
      expect(await jobInfo(shell, uuid)).toBeUndefined()
      expect(await abortJob(shell, uuid)).toBe(false)
      expect(typeof (await setMaxDowntime(shell, uuid, 10))).toBe('boolean')
    })

    it('shows it in the inventory with sizes, agent and chain', async () => {
      const domain = (await takeInventory(shell)).domains.find((each) => each.uuid === uuid)
      expect(domain).toMatchObject({
        name: guest.name,
        state: 'running',
        agent: 'connected',
        persistent: true,
        job: undefined
      })
      expect(domain?.id).toBeGreaterThan(0)
      expect(domain?.disks.map(({ target, format, chainDepth }) => ({ target, format, chainDepth }))).toEqual([
        { target: 'vda', format: 'qcow2', chainDepth: 0 },
        { target: 'vdb', format: 'qcow2', chainDepth: 0 }
      ])
      for (const disk of domain?.disks ?? []) {
        expect(disk.capacityBytes).toBe(64 * 1024 * 1024)
        expect(disk.allocationBytes).toBeGreaterThan(0)
      }
    })

    it('still lists all VMs while the QEMU of one hangs', async () => {
      const pid = (await shell.run(['pgrep', '-f', `uuid ${uuid}`])).stdout.trim()
      await shell.run(['kill', '-STOP', pid])
      try {
        const { domains } = await takeInventory(shell)
        expect(domains.find((each) => each.uuid === uuid)).toMatchObject({ name: guest.name, state: 'running' })
      } finally {
        await shell.run(['kill', '-CONT', pid])
      }
    })
  })

  it('says in which way libvirt does not answer', async () => {
    const pid = (await shell.run(['pidof', 'libvirtd'])).stdout.trim()
    await shell.run(['kill', '-STOP', ...pid.split(' ')] as [string, ...string[]])
    try {
      expect(await failureFrom(takeInventory(shell))).toMatchObject({ kind: 'timeout' })
    } finally {
      await shell.run(['kill', '-CONT', ...pid.split(' ')] as [string, ...string[]])
    }
    await shell.run([
      'systemctl',
      'stop',
      'libvirtd.socket',
      'libvirtd-ro.socket',
      'libvirtd-admin.socket',
      'libvirtd.service'
    ])
    try {
      expect(await failureFrom(takeInventory(shell))).toMatchObject({ kind: 'unsupported-host' })
    } finally {
      await shell.run([
        'systemctl',
        'start',
        'libvirtd.socket',
        'libvirtd-ro.socket',
        'libvirtd-admin.socket',
        'libvirtd.service'
      ])
    }
  })
})
