import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isMirrorReady, parseBlockJob } from '../../src/libvirt/block-jobs.ts'
import { abortJob, jobInfo, parseJob } from '../../src/libvirt/domain-jobs.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import { domainState, parseDomainInfo, parseNamedDomains, parseState, resumeDomain } from '../../src/libvirt/domains.ts'
import { parseStopResume, watchStopResume } from '../../src/libvirt/events.ts'
import { domainCapabilities, parseVersions } from '../../src/libvirt/host.ts'
import { parseInventory } from '../../src/libvirt/inventory.ts'
import { networkXml } from '../../src/libvirt/networks.ts'
import { checkImage, imageChain, imageInfo, progressReader } from '../../src/libvirt/qemu-img.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { NASTY_NAMES } from '../lab/nasty-names.ts'

const UUID = '11111111-2222-4333-8444-555555555555'
const MIB = 1024 * 1024
const BASE = `/var/lib/libvirt/images/${UUID}-vda.qcow2`
const OVERLAY = '/var/lib/libvirt/images/fixture, 1.overlay'

// Recorded by test/fixtures/record.ts on lab hosts with Debian 12 and 13.
describe.each(['9.0.0', '11.3.0'])('what libvirt %s says', (version) => {
  const recorded = (name: string): string =>
    readFileSync(join(import.meta.dirname, `../fixtures/libvirt-${version}/${name}.txt`), 'utf8')
  const says = (name: string): ReturnType<typeof fakeShell> => fakeShell(() => recorded(name))
  const fails = (name: string): ReturnType<typeof fakeShell> =>
    fakeShell(() => ({ exitCode: 1, stderr: recorded(`${name}.stderr`) }))

  it('reads states', async () => {
    expect(parseState(recorded('domstate-running')).state).toBe('running')
    expect(parseState(recorded('domstate-paused'))).toEqual({ state: 'paused', reason: 'user' })
    expect(parseState(recorded('domstate-shut-off')).state).toBe('shut off')
    expect(await domainState(fails('domstate-unknown'), UUID)).toBeUndefined()
  })

  it('reads what kind of domain it is', () => {
    expect(parseDomainInfo(recorded('dominfo'))).toEqual({ persistent: true, autostart: false, managedSave: false })
  })

  it('reads versions', () => {
    expect(parseVersions(recorded('version'))).toEqual({
      libvirt: version,
      qemu: version === '9.0.0' ? '7.2.22' : '10.0.13'
    })
  })

  it('reads names as they are', () => {
    const names = parseNamedDomains(recorded('list-named')).map(({ name }) => name)
    expect(names.toSorted()).toEqual([...NASTY_NAMES, 'fixture'].toSorted())
  })

  it('reads jobs: none, one that runs, one that is over', async () => {
    expect(parseJob(recorded('domjobinfo-none'))).toBeUndefined()
    expect(await jobInfo(fails('domjobinfo-shut-off'), UUID)).toBeUndefined()
    expect(await jobInfo(fails('domstate-unknown'), UUID)).toBeUndefined()
    const running = parseJob(recorded('domjobinfo-snapshot'))
    expect(running).toMatchObject({ operation: 'snapshot', memory: { iteration: 1 } })
    expect(running?.memory.totalBytes).toBeGreaterThan(512 * MIB)
    expect(running?.memory.remainingBytes).toBeGreaterThan(0)
    const completed = parseJob(recorded('domjobinfo-completed'))
    expect(completed).toMatchObject({ operation: 'snapshot', memory: { remainingBytes: 0 } })
    expect(completed?.downtimeMs).toBeGreaterThan(0)
    expect(completed?.memory.bytesPerSecond).toBeGreaterThan(MIB)
  })

  it('takes it as no error to end no job and to resume a running guest', async () => {
    expect(await abortJob(fails('domjobabort-none'), UUID)).toBe(false)
    await resumeDomain(fails('resume-running'), UUID)
  })

  it('reads block jobs, and from the definition whether they may be pivoted', () => {
    expect(parseBlockJob(recorded('blockjob-none'), () => false)).toBeUndefined()
    const ready = isMirrorReady(recorded('dumpxml-commit-ready'), 'vda')
    expect(parseBlockJob(recorded('blockjob-commit-ready'), () => ready)).toMatchObject({
      kind: 'active-commit',
      ready: true
    })
    const copying = isMirrorReady(recorded('dumpxml-copy'), 'vda')
    expect(parseBlockJob(recorded('blockjob-copy'), () => copying)).toMatchObject({
      kind: 'copy',
      totalBytes: 64 * MIB,
      bytesPerSecond: MIB,
      ready: false
    })
    expect(isMirrorReady(recorded('dumpxml-commit-ready'), 'vdb')).toBe(false)
    const [committed] = parseDomain(recorded('dumpxml-commit-ready')).disks
    expect(committed?.mirrorTo).toBe(committed?.chain[1])
    expect(parseDomain(recorded('dumpxml-copy')).disks[0]?.mirrorTo).toMatch(/fixture\.copy$/)
  })

  it('reads live and persistent definitions and that of a RAM image', () => {
    const live = parseDomain(recorded('dumpxml-live'))
    expect(live).toMatchObject({
      uuid: UUID,
      name: 'fixture',
      memoryBytes: 512 * MIB,
      virtType: 'qemu',
      arch: 'x86_64',
      agent: 'connected',
      devicesWithoutSavableState: []
    })
    expect(live.id).toBeGreaterThan(0)
    expect(live.disks).toMatchObject([
      { target: 'vda', source: BASE, format: 'qcow2', chainDepth: 0 },
      { target: 'vdb', format: 'qcow2' }
    ])
    expect(parseDomain(recorded('dumpxml-inactive'))).toMatchObject({
      uuid: UUID,
      id: undefined,
      agent: 'disconnected'
    })
    expect(parseDomain(recorded('save-image-dumpxml'))).toMatchObject({ uuid: UUID, name: 'fixture' })
  })

  it('reads the chain below an overlay, and every path in use', () => {
    const domain = parseDomain(recorded('dumpxml-on-overlay'))
    expect(domain.disks[0]).toMatchObject({ source: OVERLAY, chainDepth: 1, mirror: undefined })
    expect(domain.allSources).toEqual(expect.arrayContaining([OVERLAY, BASE]))
    const committing = parseDomain(recorded('dumpxml-commit-ready'))
    expect(committing.disks[0]?.mirror).toBe('active commit')
    expect(parseDomain(recorded('dumpxml-copy')).allSources).toContain('/var/lib/libvirt/images/fixture.copy')
  })

  it("reads events with QEMU's time stamp", () => {
    const events = recorded('events')
      .split('\n')
      .flatMap((line) => parseStopResume(line) ?? [])
    expect(events.map(({ event }) => event)).toEqual(['STOP', 'RESUME'])
    expect(events[1]?.atMicros).toBeGreaterThan(events[0]?.atMicros ?? Infinity)
  })

  it('knows from the log of messages that events are registered', async () => {
    const stderr = recorded('events.stderr')
    const stop = new AbortController()
    const watching = async (text: string): Promise<boolean> => {
      async function* slowly(): AsyncIterable<Uint8Array> {
        for (const line of text.split('\n')) yield Buffer.from(`${line}\n`)
        await new Promise((resolve) => stop.signal.addEventListener('abort', resolve))
      }
      return (
        await watchStopResume(
          fakeShell(() => ({ stderr: slowly() })),
          UUID,
          () => undefined,
          stop.signal
        )
      ).confirmed
    }
    expect(await watching(stderr)).toBe(true)
    stop.abort()
  })

  it('knows machine types and networks that are not there', async () => {
    const kind = { virtType: 'qemu', arch: 'x86_64', machine: 'pc-i440fx-99.9' }
    expect(await domainCapabilities(fails('domcapabilities-unknown'), kind)).toBeUndefined()
    expect(await networkXml(fails('net-unknown'), '--help')).toBeUndefined()
  })

  it('reads images', async () => {
    const info = await imageInfo(says('image-info-overlay'), OVERLAY, { format: 'qcow2' })
    expect(info).toMatchObject({
      virtualSizeBytes: 64 * MIB,
      backingFile: BASE,
      backingFormat: 'qcow2',
      dataFile: undefined
    })
    const chain = await imageChain(says('image-info-chain'), OVERLAY, { format: 'qcow2' })
    expect(chain.map(({ path }) => path)).toEqual([OVERLAY, BASE])
    expect(await checkImage(says('image-check'), '/x', 'qcow2')).toEqual({
      corruptions: 0,
      leaks: 0,
      checkErrors: 0,
      supported: true
    })
  })

  it('reads progress cut anywhere', () => {
    const bytes = Buffer.from(recorded('convert-progress'))
    for (let cut = 1; cut < 40; cut += 1) {
      const fractions: number[] = []
      const read = progressReader((fraction) => void fractions.push(fraction))
      for (let at = 0; at < bytes.length; at += cut) read(bytes.subarray(at, at + cut))
      expect(fractions.at(-1)).toBe(1)
    }
  })

  it('reads a whole inventory', () => {
    const inventory = parseInventory('lab', recorded('inventory'), 'mark-recorded', '2026-11-23T00:00:00.000Z')
    expect(inventory.domains.map(({ name }) => name).toSorted()).toEqual([...NASTY_NAMES, 'fixture'].toSorted())
    expect(inventory).toMatchObject({ libvirt: version, architecture: 'x86_64', cpus: 2 })
    expect(inventory.memoryBytes).toBeGreaterThan(inventory.freeMemoryBytes)
    expect(inventory.space).toContainEqual(expect.objectContaining({ path: '/var/lib/stillpoint' }))
    expect(inventory.domains.find(({ uuid }) => uuid === UUID)).toMatchObject({
      state: 'running',
      agent: 'connected',
      ramBytes: 512 * MIB,
      vcpus: 1,
      persistent: true,
      disks: [{ target: 'vda', source: OVERLAY, capacityBytes: 64 * MIB, chainDepth: 1 }, { target: 'vdb' }]
    })
    expect(inventory.domains.find(({ name }) => name === '1')).toMatchObject({
      state: 'shut off',
      id: undefined,
      disks: []
    })
  })
})
