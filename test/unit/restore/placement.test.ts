import { describe, expect, it } from 'vitest'
import type { Answers } from '../../../src/engine/restore/answers.ts'
import { checkPlacement } from '../../../src/engine/restore/check-placement.ts'
import type { DisplacedVm } from '../../../src/engine/restore/restore-plan.ts'
import { parseDomain } from '../../../src/libvirt/domain-xml.ts'
import { placementIn, rangeNumbers, withMemory } from '../../../src/libvirt/placement.ts'
import type { RestoreSpec } from '../../../src/shared/model/job.ts'
import { VM, answersFor, asking, flags, guest, hardwareWith, said } from './asked-host.ts'

const PINNED = `<vcpu placement='static' cpuset='0-1'>1</vcpu><cputune><shares>2048</shares><vcpupin vcpu='0' cpuset='31'/><emulatorpin cpuset='0,2-3,^2'/></cputune><numatune><memory mode='strict' nodeset='1'/></numatune>`
const HUGE = `<memoryBacking><hugepages/><locked/></memoryBacking>`
const HUGE_1G = `<memoryBacking><hugepages><page size='1' unit='GiB'/></hugepages></memoryBacking>`
const BIG = guest('').replace(
  "<memory unit='MiB'>64</memory>",
  "<memory unit='GiB'>64</memory><currentMemory unit='GiB'>32</currentMemory>"
)

const MEMINFO = `MemTotal:        8000000 kB
MemFree:          100000 kB
MemAvailable:    4200000 kB
SwapTotal:       1000000 kB
Hugepagesize:       2048 kB
`
const HOST = {
  '/sys/devices/system/cpu/online': '0-3\n',
  '/sys/devices/system/node/online': '0\n',
  '/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages': '8\n',
  '/proc/meminfo': MEMINFO
}

const HUGE_VM: DisplacedVm = {
  uuid: VM,
  name: 'web',
  wasActive: true,
  wasPaused: false,
  persistent: true,
  autostart: false,
  definition: guest('', HUGE),
  forThatRun: [],
  renames: []
}

async function check(
  xml: string,
  files: Readonly<Record<string, string>> = HOST,
  spec: Partial<RestoreSpec> = {},
  displaced: readonly DisplacedVm[] = []
): Promise<Answers> {
  const answers = answersFor(spec)
  await checkPlacement({ asking: asking(xml), displaced }, await hardwareWith(files), answers)
  return answers
}

describe('where a VM is to run', () => {
  it('is read from pins, memory nodes and huge pages', () => {
    expect(placementIn(guest('', PINNED + HUGE_1G))).toEqual({
      processors: [0, 1, 3, 31],
      nodes: [1],
      hugePagesKiB: [1048576]
    })
    expect(placementIn(guest('', HUGE)).hugePagesKiB).toEqual([0])
    expect(rangeNumbers('0-999999999,7')).toEqual([7])
    expect(rangeNumbers('nonsense')).toEqual([])
  })

  it('is a problem where this host has no such processors or nodes', async () => {
    const answers = await check(guest('', PINNED))
    expect(said(answers)).toEqual([
      'problem: it is bound to processors 31 and memory nodes 1, which this host does not have'
    ])
    expect(flags(answers)).toEqual(['--drop-pins'])
    const large = { ...HOST, '/sys/devices/system/cpu/online': '0-63', '/sys/devices/system/node/online': '0-1' }
    expect(said(await check(guest('', PINNED), large))).toEqual([])
  })

  it('is left to the host by choice, and RAM still fits', async () => {
    const answers = await check(guest('', PINNED), HOST, { choices: [{ kind: 'drop-pins' }] })
    expect([said(answers), answers.misfits]).toEqual([[], []])
    const edited = answers.apply(guest('', PINNED))
    expect(placementIn(edited)).toEqual({ processors: [], nodes: [], hugePagesKiB: [] })
    expect(edited).toContain('<shares>2048</shares>')
  })
})

describe('huge pages', () => {
  it('that are not free here are a problem, and ordinary pages a choice', async () => {
    const answers = await check(guest('', HUGE))
    expect(said(answers)).toEqual([
      'problem: its RAM (64 MiB) is to be made of huge pages, and 16 MiB of them are free here'
    ])
    expect(flags(answers)).toEqual(['--drop-hugepages'])
    expect(said(await check(guest('', HUGE_1G), HOST))).toHaveLength(1)
    const enough = { ...HOST, '/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages': '32' }
    expect(said(await check(guest('', HUGE), enough))).toEqual([])
    const chosen = await check(guest('', HUGE), HOST, { choices: [{ kind: 'drop-hugepages' }] })
    expect([said(chosen), chosen.misfits]).toEqual([[], []])
    expect(chosen.apply(guest('', HUGE))).toContain('<memoryBacking><locked/></memoryBacking>')
  })

  it.each([
    {
      '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages': '24\n',
      '/sys/kernel/mm/hugepages/hugepages-2048kB/surplus_hugepages': '0\n'
    },
    { '/etc/libvirt/hooks/qemu': '#!/bin/sh' },
    { '/etc/libvirt/hooks/qemu.d/10-pages': '#!/bin/sh' }
  ])('that may come when the VM starts are worth a word only: %j', async (files) => {
    const answers = await check(guest('', HUGE), { ...HOST, ...files })
    expect(said(answers).join()).toMatch(/^warning: .* 16 MiB of them are free here: more may come when it starts$/)
    expect(flags(answers)).toEqual(['--drop-hugepages'])
  })

  it('that the kernel has made beyond its number already are no more that may come', async () => {
    const folder = '/sys/kernel/mm/hugepages/hugepages-2048kB'
    const files = { [`${folder}/nr_overcommit_hugepages`]: '24\n', [`${folder}/surplus_hugepages`]: '1\n' }
    expect(said(await check(guest('', HUGE), { ...HOST, ...files })).join()).toMatch(/^problem: /)
  })

  it('of a VM that makes way are free then', async () => {
    const goes = HUGE_VM
    expect(said(await check(guest('', HUGE), HOST, {}, [goes]))).toEqual([])
    expect(said(await check(guest('', HUGE), HOST, {}, [{ ...goes, wasActive: false }]))).toHaveLength(1)
  })
})

describe('RAM', () => {
  it('of more than this host has is a problem; a smaller size is a choice, for a boot', async () => {
    const answers = await check(BIG)
    expect(said(answers)).toEqual(['problem: it has 64 GiB of RAM, and this host 8.6 GiB with its swap'])
    expect(flags(answers)).toEqual(['--memory 2048'])
    const chosen = await check(BIG, HOST, { choices: [{ kind: 'memory', mib: 2048 }] })
    expect([said(chosen), chosen.misfits]).toEqual([[], ['its RAM is 2048 MiB']])
    expect(parseDomain(chosen.apply(BIG)).memoryBytes).toBe(2 ** 31)
    expect(chosen.apply(BIG)).toContain('<currentMemory unit="MiB">2048</currentMemory>')
  })

  it('of more than this host has is worth a word only where its kernel promises more than it has', async () => {
    const answers = await check(BIG, { ...HOST, '/proc/sys/vm/overcommit_memory': '1\n' })
    expect(said(answers)).toEqual(['warning: it has 64 GiB of RAM, and this host 8.6 GiB with its swap'])
    expect(said(await check(BIG, { ...HOST, '/proc/sys/vm/overcommit_memory': '0\n' })).join()).toMatch(/^problem: /)
  })

  it('of more than is free is worth a word', async () => {
    const five = BIG.replace("'GiB'>64<", "'GiB'>5<")
    expect(said(await check(five)).join()).toMatch(/^warning: It has 5\.0 GiB of RAM, and 4\.0 GiB are free here/)
  })

  it('of a VM that makes way is free then', async () => {
    const five = BIG.replace("'GiB'>64<", "'GiB'>5<")
    const goes = { ...HUGE_VM, definition: five }
    expect(said(await check(five, HOST, {}, [goes]))).toEqual([])
    expect(said(await check(five, HOST, {}, [{ ...goes, wasActive: false }]))).toHaveLength(1)
  })

  it('that is spread over nodes cannot be made smaller', async () => {
    const spread = BIG.replace('<devices>', "<cpu><numa><cell id='0' cpus='0' memory='1'/></numa></cpu><devices>")
    expect(withMemory(spread, 64)).toBeUndefined()
    expect(flags(await check(spread))).toEqual([])
    expect(said(await check(spread, HOST, { choices: [{ kind: 'memory', mib: 64 }] })).join()).toContain(
      'cannot be made'
    )
  })
})
