import { formatBytes } from '../../shared/format.ts'
import { placementIn, withMemory, withoutHugePages, withoutPins, type Placement } from '../../libvirt/placement.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import type { Answers, Asking, NeedsRequest } from './answers.ts'
import type { Hardware, HugePages, Memory } from './hardware.ts'
import type { DisplacedVm } from './restore-plan.ts'

/** Processors, memory nodes, huge pages and memory of this host that the VM is bound to, or needs. */
export async function checkPlacement(
  { asking, displaced }: Pick<NeedsRequest, 'asking' | 'displaced'>,
  hardware: Hardware,
  answers: Answers
): Promise<void> {
  const placements = asking.map(({ xml }) => placementIn(xml))
  await checkPins(placements, hardware, answers)
  const memory = await hardware.memory()
  const bytes = Math.max(...asking.map(({ domain }) => domain.memoryBytes))
  const sizes = [...new Set(placements.flatMap(({ hugePagesKiB }) => hugePagesKiB))]
  if (sizes.length > 0) await checkHugePages(sizes, bytes, freedBy(displaced), hardware, answers)
  else if (memory !== undefined) {
    const available = memory.available + ramOf(displaced.filter(({ wasActive }) => wasActive))
    checkMemory(asking, bytes, { ...memory, available }, await hardware.overcommits(), answers)
  }
}

async function checkPins(placements: readonly Placement[], hardware: Hardware, answers: Answers): Promise<void> {
  const wanted = (read: (placement: Placement) => readonly number[]): number[] => [...new Set(placements.flatMap(read))]
  const [processors, nodes] = [wanted((each) => each.processors), wanted((each) => each.nodes)]
  if (processors.length + nodes.length === 0) return
  const chosen = answers.choices.plain('drop-pins')
  const missing = [
    ...lacking('processors', processors, await hardware.processors()),
    ...lacking('memory nodes', nodes, await hardware.memoryNodes())
  ]
  if (missing.length === 0 && chosen?.isAsked !== true) {
    answers.list.ok('placement', 'the processors and memory nodes that it is bound to are here')
    return
  }
  if (chosen !== undefined) {
    answers.edit(withoutPins)
    answers.done('placement', 'it is bound to no processor and no memory node', chosen)
    return
  }
  answers.unmet('placement', {
    text: `it is bound to ${missing.join(' and ')}, which this host does not have`,
    fix: 'restore to a host that has them',
    choices: [{ label: 'bind it to none', choice: { kind: 'drop-pins' } }]
  })
}

function lacking(what: string, wanted: readonly number[], here: readonly number[] | undefined): string[] {
  const missing = here === undefined ? [] : wanted.filter((number) => !here.includes(number))
  return missing.length === 0 ? [] : [`${what} ${listed(missing)}`]
}

const MOST_SHOWN = 8
const listed = (numbers: readonly number[]): string =>
  `${numbers.slice(0, MOST_SHOWN).join(', ')}${numbers.length > MOST_SHOWN ? ' ...' : ''}`

/** Huge pages of VMs that make way, in bytes. */
const freedBy = (displaced: readonly DisplacedVm[]): number =>
  ramOf(displaced.filter(({ wasActive, definition }) => wasActive && placementIn(definition).hugePagesKiB.length > 0))

const ramOf = (vms: readonly DisplacedVm[]): number =>
  vms.reduce((sum, { definition }) => sum + parseDomain(definition).memoryBytes, 0)

async function checkHugePages(
  sizes: readonly number[],
  bytes: number,
  freed: number,
  hardware: Hardware,
  answers: Answers
): Promise<void> {
  const pages = await hardware.hugePages()
  const usual = (await hardware.memory())?.hugePage
  const kib = sizes.map((size) => (size === 0 ? (usual ?? 0) / 1024 : size))
  const bytesOf = (read: (pages: HugePages) => number): number =>
    kib.reduce((sum, size) => sum + read(pages.get(size) ?? { free: 0, more: 0 }) * size * 1024, 0)
  const freeBytes = freed + bytesOf(({ free }) => free)
  const chosen = answers.choices.plain('drop-hugepages')
  if (freeBytes >= bytes && chosen?.isAsked !== true) {
    answers.list.ok('placement', 'there are enough free huge pages')
    return
  }
  if (chosen !== undefined) {
    answers.edit(withoutHugePages)
    answers.done('placement', 'its RAM is made of ordinary pages', chosen)
    return
  }
  const mayCome = hardware.hasStartHook || freeBytes + bytesOf(({ more }) => more) >= bytes
  answers.list.unmet('placement', answers.starts && !mayCome, {
    text: `its RAM (${formatBytes(bytes)}) is to be made of huge pages, and ${formatBytes(freeBytes)} of them are free here${mayCome ? ': more may come when it starts' : ''}`,
    fix: 'set vm.nr_hugepages',
    choices: [{ label: 'make its RAM of ordinary pages', choice: { kind: 'drop-hugepages' } }]
  })
}

const MIB = 2 ** 20

/** More than the host has at all cannot work, unless its kernel promises what it does not have; more than is free may push other VMs out. */
function checkMemory(
  asking: readonly Asking[],
  bytes: number,
  memory: Memory,
  overcommits: boolean,
  answers: Answers
): void {
  const { available } = memory
  const total = memory.total + memory.swap
  const chosen = answers.choices.memoryMib()
  if (chosen !== undefined && (chosen.isAsked || bytes > total)) {
    if (asking.some(({ xml }) => withMemory(xml, chosen.value) === undefined)) {
      answers.unmet('memory', {
        text: 'its RAM cannot be made another size: the definition spreads it over nodes, or lets more be plugged in',
        fix: 'restore to a host with more memory'
      })
      return
    }
    answers.edit((xml) => withMemory(xml, chosen.value) ?? xml, `its RAM is ${chosen.value} MiB`)
    answers.done('memory', `it gets ${chosen.value} MiB`, chosen)
    return
  }
  if (bytes > total) {
    answers.list.unmet('memory', answers.starts && !overcommits, {
      text: `it has ${formatBytes(bytes)} of RAM, and this host ${formatBytes(total)} with its swap`,
      fix: 'restore to a host with more memory',
      choices: smaller(asking, available)
    })
    return
  }
  if (bytes > available)
    answers.list.warning(
      'memory',
      `It has ${formatBytes(bytes)} of RAM, and ${formatBytes(available)} are free here: this host may get short of memory`
    )
}

/** Half of what is free, as a power of two. */
function smaller(asking: readonly Asking[], available: number): Parameters<Answers['unmet']>[1]['choices'] & object {
  const mib = 2 ** Math.floor(Math.log2(available / 2 / MIB))
  if (mib < 64 || asking.some(({ xml }) => withMemory(xml, mib) === undefined)) return []
  return [{ label: `give it ${mib} MiB`, choice: { kind: 'memory', mib } }]
}
